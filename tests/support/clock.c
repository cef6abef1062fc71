/* Put before a program by LD_PRELOAD, it lets its wall clock be CLOCK_AHEAD seconds ahead (or behind, if negative); how long something
 * takes stays what it is. So a night after the next comes without anybody waiting for it, and a decision is of the day a test means. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static time_t ahead;
static int (*told)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("CLOCK_AHEAD");
    ahead = wanted ? atol(wanted) : 0;
    told = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    if (!told)
        begin();
    int failed = told(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += ahead;
    return failed;
}
