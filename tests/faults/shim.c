/* Put before a program by LD_PRELOAD, it lets things happen to files: below one folder, every system call that changes a file or makes
 * it durable is counted, and at the N-th something goes wrong.
 *
 * The kernel itself says when such a call is made (seccomp, SIGSYS), so it does not matter who makes it: libc, SQLite, or a library that
 * makes its system calls itself. What is let through is made again with MARK as its sixth argument, which the filter knows.
 *
 * FAULTS_BELOW   the folder, an absolute path without links
 * FAULTS_RECORD  a file of the size of `struct record`: what was counted, for whoever started the program
 * FAULTS_AT      what goes wrong when: `12:io` or `12:short,40:before`
 *
 * Not seen: what is written through shared memory maps (SQLite's index of its log, which means nothing after a crash). Calls that move
 * bytes inside the kernel, and io_uring, are said not to exist; who wants them falls back to plain writes. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define MARK 0x7a61676fL
#define PATH 1024
#define TRACE 65536
#define FAULTS 4
#define TMPFILE 020000000

/* What a call does; `tests/it/faults/shim.rs` reads these letters. */
enum { CREATE = 'c', WRITE = 'w', SYNC = 's', RENAME = 'r', REMOVE = 'u', CUT = 't', FOLDER = 'm', LINK = 'l', MODE = 'p' };

struct record {
    _Atomic uint64_t count;
    _Atomic uint64_t met;
    char told[FAULTS][PATH];
    char trace[TRACE];
};

struct fault {
    uint64_t at;
    char kind[12];
    _Atomic int begun;
};

static struct record *record;
static char below[PATH];
static struct fault faults[FAULTS];
static int faults_count;

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                  x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "not for this processor yet"
#endif

static void join(char *path, long length, const char *name) {
    if (length < 0) length = 0;
    path[length] = 0;
    if (!name || !*name) return;
    if (length + 1 + strlen(name) + 1 > PATH) return;
    path[length] = '/';
    strcpy(path + length + 1, name);
}

static long link_of(const char *link, char *path) {
    return call(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, PATH - 1, 0, 0);
}

/* Where an open file is; a name in `folder`, if there is a name. */
static void place(int folder, const char *name, char *path) {
    char link[32] = "/proc/self/fd/", digits[12];
    int count = 0, at = 14;
    if (name && *name == '/') {
        path[0] = 0;
        if (strlen(name) < PATH) strcpy(path, name);
        return;
    }
    if (folder == AT_FDCWD) {
        join(path, link_of("/proc/self/cwd", path), name);
        return;
    }
    if (folder < 0) {
        path[0] = 0;
        return;
    }
    do digits[count++] = '0' + folder % 10;
    while (folder /= 10);
    while (count) link[at++] = digits[--count];
    link[at] = 0;
    join(path, link_of(link, path), name);
}

/* What a call is about. */
static int understood(long number, const long *a, char *path) {
    switch (number) {
#ifdef SYS_open
    case SYS_open: place(AT_FDCWD, (char *)a[0], path); return CREATE;
    case SYS_creat: place(AT_FDCWD, (char *)a[0], path); return CREATE;
    case SYS_rename: place(AT_FDCWD, (char *)a[1], path); return RENAME;
    case SYS_unlink: case SYS_rmdir: place(AT_FDCWD, (char *)a[0], path); return REMOVE;
    case SYS_mkdir: place(AT_FDCWD, (char *)a[0], path); return FOLDER;
    case SYS_link: case SYS_symlink: place(AT_FDCWD, (char *)a[1], path); return LINK;
    case SYS_chmod: place(AT_FDCWD, (char *)a[0], path); return MODE;
#endif
    case SYS_openat: place(a[0], (char *)a[1], path); return CREATE;
    case SYS_write: case SYS_pwrite64: case SYS_writev: case SYS_pwritev: place(a[0], NULL, path); return WRITE;
    case SYS_fsync: case SYS_fdatasync: case SYS_sync_file_range: case SYS_syncfs: place(a[0], NULL, path); return SYNC;
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2: place(a[2], (char *)a[3], path); return RENAME;
    case SYS_unlinkat: place(a[0], (char *)a[1], path); return REMOVE;
    case SYS_ftruncate: case SYS_fallocate: place(a[0], NULL, path); return CUT;
    case SYS_truncate: place(AT_FDCWD, (char *)a[0], path); return CUT;
    case SYS_mkdirat: place(a[0], (char *)a[1], path); return FOLDER;
    case SYS_linkat: place(a[2], (char *)a[3], path); return LINK;
    case SYS_symlinkat: place(a[1], (char *)a[2], path); return LINK;
    case SYS_fchmod: place(a[0], NULL, path); return MODE;
    case SYS_fchmodat: place(a[0], (char *)a[1], path); return MODE;
    }
    path[0] = 0;
    return 0;
}

static int is_below(const char *path) {
    size_t length = strlen(below);
    return strncmp(path, below, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static long let(long number, const long *a) { return call(number, a[0], a[1], a[2], a[3], a[4], MARK); }

/* Half of a write; -1 if it has no half. */
static long half(long number, const long *a) {
    long b[6];
    memcpy(b, a, sizeof b);
    if (number == SYS_writev || number == SYS_pwritev) {
        const struct iovec *first = (const struct iovec *)a[1];
        if (a[2] < 1 || first->iov_len < 2) return -1;
        struct iovec part = {first->iov_base, first->iov_len / 2};
        b[1] = (long)&part;
        b[2] = 1;
        return let(number, b);
    }
    if (a[2] < 2) return -1;
    b[2] = a[2] / 2;
    return let(number, b);
}

static void end(void) {
    call(SYS_kill, call(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0, 0);
    for (;;) call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void tell(int fault, int what, const char *path) {
    uint64_t met = atomic_fetch_add(&record->met, 1);
    if (atomic_exchange(&faults[fault].begun, 1) || met >= FAULTS) return;
    char *told = record->told[fault];
    told[0] = what;
    told[1] = ' ';
    strncpy(told + 2, path + strlen(below), PATH - 3);
}

static int needs_space(int what) { return what != REMOVE && what != MODE; }

/* Whether this fault strikes, and what the call comes to then. */
static int struck(int index, uint64_t count, long number, const long *a, int what, const char *path, long *result) {
    struct fault *fault = &faults[index];
    const char *kind = fault->kind;
    int lasts = !strcmp(kind, "full") || !strcmp(kind, "readonly"), was = fault->begun;
    if (lasts ? count < fault->at : count != fault->at) return 0;
    if (!strcmp(kind, "before")) {
        tell(index, what, path);
        end();
    } else if (!strcmp(kind, "after")) {
        tell(index, what, path);
        let(number, a);
        end();
    } else if (!strcmp(kind, "torn") || !strcmp(kind, "short")) {
        if (what != WRITE || (*result = half(number, a)) == -1) return 0;
        tell(index, what, path);
        if (kind[0] == 't') end();
        return 1;
    } else if (!strcmp(kind, "io")) {
        tell(index, what, path);
        *result = -EIO;
        return 1;
    } else if (!strcmp(kind, "readonly")) {
        tell(index, what, path);
        *result = -EROFS;
        return 1;
    } else if (!strcmp(kind, "nospace") || !strcmp(kind, "full")) {
        if (!needs_space(what)) return 0;
        tell(index, what, path);
        /* What still fits is written. */
        if (lasts && !was && what == WRITE && (*result = half(number, a)) != -1) return 1;
        *result = -ENOSPC;
        return 1;
    }
    return 0;
}

static long decided(long number, const long *a) {
    char path[PATH];
    int what = understood(number, a, path);
    if (!what || !is_below(path)) return let(number, a);
    uint64_t count = atomic_fetch_add(&record->count, 1) + 1;
    if (count <= TRACE) record->trace[count - 1] = what;
    long result;
    for (int index = 0; index < faults_count; index++)
        if (struck(index, count, number, a, what, path, &result)) return result;
    return let(number, a);
}

static void met(int signal, siginfo_t *info, void *context) {
    ucontext_t *at = context;
    (void)signal;
    if (info->si_code != 1 /* SYS_SECCOMP */) return;
#if defined(__x86_64__)
    greg_t *r = at->uc_mcontext.gregs;
    long a[6] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
    r[REG_RAX] = decided(info->si_syscall, a);
#else
    unsigned long long *r = at->uc_mcontext.regs;
    long a[6] = {r[0], r[1], r[2], r[3], r[4], r[5]};
    r[0] = decided(info->si_syscall, a);
#endif
}

#define ARGUMENT(index) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[index]))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ON(name, what) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ANSWER(what)
#define OPENING(name, flags)                                                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), ARGUMENT(flags),                                                               \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC | TMPFILE, 0, 1), ANSWER(SECCOMP_RET_TRAP), ANSWER(SECCOMP_RET_ALLOW)
#define TRAP(name) ON(name, SECCOMP_RET_TRAP)
#define ABSENT(name) ON(name, SECCOMP_RET_ERRNO | ENOSYS)

static void watch(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        ARGUMENT(5),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_open
        OPENING(open, 1), TRAP(creat), TRAP(rename), TRAP(unlink), TRAP(rmdir), TRAP(mkdir), TRAP(link), TRAP(symlink), TRAP(chmod),
#endif
        OPENING(openat, 2), TRAP(write), TRAP(pwrite64), TRAP(writev), TRAP(pwritev), TRAP(fsync), TRAP(fdatasync), TRAP(syncfs),
        TRAP(sync_file_range),
#ifdef SYS_renameat
        TRAP(renameat),
#endif
        TRAP(renameat2), TRAP(unlinkat), TRAP(ftruncate), TRAP(truncate), TRAP(fallocate), TRAP(mkdirat), TRAP(linkat), TRAP(symlinkat),
        TRAP(fchmod), TRAP(fchmodat),
        ABSENT(openat2), ABSENT(copy_file_range), ABSENT(sendfile), ABSENT(splice), ABSENT(pwritev2), ABSENT(io_uring_setup),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    struct sigaction action = {.sa_sigaction = met, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        _exit(125);
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("FAULTS_BELOW"), *path = getenv("FAULTS_RECORD"), *at = getenv("FAULTS_AT");
    if (!folder || !path || strlen(folder) >= PATH) return;
    strcpy(below, folder);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) _exit(125);
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (record == MAP_FAILED) _exit(125);
    while (at && *at && faults_count < FAULTS) {
        struct fault *fault = &faults[faults_count++];
        char *rest;
        fault->at = strtoull(at, &rest, 10);
        if (*rest++ != ':') _exit(125);
        size_t length = strcspn(rest, ",");
        if (length >= sizeof fault->kind) _exit(125);
        memcpy(fault->kind, rest, length);
        at = rest + length + (rest[length] == ',');
    }
    watch();
}
