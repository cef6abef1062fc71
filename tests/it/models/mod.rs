//! Protocols small enough to be looked at whole: every state that any order of steps can lead to is visited, and what must hold is asked of
//! each. What is found is told as the shortest way to it. Each model has a twin with a rule left out, in which something must be found:
//! a model that cannot fail proves nothing.

mod doubt;
mod lease;
mod rate;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;

/// A protocol.
pub trait Model {
    type State: Clone + Eq + Hash + Debug;
    type Step: Clone + Debug;

    fn start(&self) -> Self::State;

    /// Everything that may happen next, and where it leads.
    fn steps(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// What must hold of every state.
    fn holds(&self, state: &Self::State) -> Result<(), String>;
}

/// How much was looked at.
#[derive(Debug)]
pub struct Visited {
    pub states: usize,
    pub steps: usize,
}

/// Visits every state, those with the shortest way first; or tells what does not hold, and the way there.
pub fn visit<M: Model>(model: &M) -> Result<Visited, String> {
    let start = model.start();
    let mut numbers: HashMap<M::State, usize> = HashMap::from([(start.clone(), 0)]);
    let mut came: Vec<Option<(usize, M::Step)>> = vec![None];
    let mut waiting = VecDeque::from([(0, start)]);
    let mut count = 0;
    while let Some((number, state)) = waiting.pop_front() {
        if let Err(why) = model.holds(&state) {
            return Err(format!("{why}: {state:?}\nafter {:#?}", way(&came, number)));
        }
        for (step, next) in model.steps(&state) {
            count += 1;
            let fresh = came.len();
            if *numbers.entry(next.clone()).or_insert(fresh) == fresh {
                came.push(Some((number, step)));
                waiting.push_back((fresh, next));
            }
        }
    }
    Ok(Visited { states: came.len(), steps: count })
}

fn way<S: Clone>(came: &[Option<(usize, S)>], mut number: usize) -> Vec<S> {
    let mut steps = Vec::new();
    while let Some((before, step)) = &came[number] {
        steps.push(step.clone());
        number = *before;
    }
    steps.reverse();
    steps
}
