//! Many operations at once, but no more than may be under way at the moment: the limit is asked again whenever one has ended.

use std::future::Future;
use std::task::Poll;

use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt as _};

/// Runs `work`, in its order of starting, with at most `limit()` under way; yields results as they come.
pub(super) fn bounded<F: Future>(work: impl Stream<Item = F>, limit: impl Fn() -> usize) -> impl Stream<Item = F::Output> {
    let mut waiting = Box::pin(work.fuse());
    let mut under_way = FuturesUnordered::new();
    stream::poll_fn(move |context| {
        while under_way.len() < limit().max(1) {
            let Poll::Ready(Some(next)) = waiting.poll_next_unpin(context) else { break };
            under_way.push(next);
        }
        match under_way.poll_next_unpin(context) {
            // Nothing is under way, and what is to come is not known yet.
            Poll::Ready(None) if !waiting.is_done() => Poll::Pending,
            result => result,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn everything_is_done_and_the_limit_of_the_moment_is_kept() {
        let (limit, now, most) = (Cell::new(1), Cell::new(0_usize), Cell::new(0));
        let work = (0..40_usize).map(|number| {
            let (limit, now, most) = (&limit, &now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                assert!(now.get() <= limit.get(), "{} under way, {} allowed", now.get(), limit.get());
                tokio::task::yield_now().await;
                now.set(now.get() - 1);
                number
            }
        });
        let mut results = Box::pin(bounded(stream::iter(work), || limit.get()));
        let mut done: Vec<usize> = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let mut done = Vec::new();
            while let Some(number) = results.next().await {
                done.push(number);
                limit.set(1 + done.len() / 4);
            }
            done
        });
        done.sort_unstable();
        assert_eq!(done, (0..40).collect::<Vec<_>>());
        assert!(most.get() >= 8, "{} at once: the limit is used", most.get());
    }
}
