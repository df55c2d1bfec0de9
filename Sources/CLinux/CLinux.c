#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/uio.h>
#include <unistd.h>

static _Thread_local void *current_loop = 0;

void *slipway_current_loop(void) { return current_loop; }
void slipway_set_current_loop(void *loop) { current_loop = loop; }

int slipway_accept4(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int slipway_pthread_setname(pthread_t thread, const char *name) { return pthread_setname_np(thread, name); }

void slipway_start_writeback(int descriptor, int64_t offset, int64_t bytes) {
    (void)sync_file_range(descriptor, offset, bytes, SYNC_FILE_RANGE_WRITE);
}

ssize_t slipway_pread_cached(int descriptor, void *bytes, size_t count, int64_t offset) {
    struct iovec vector = {.iov_base = bytes, .iov_len = count};
    ssize_t got;
    do {
        got = preadv2(descriptor, &vector, 1, offset, RWF_NOWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EOPNOTSUPP) got = pread(descriptor, bytes, count, offset);
    return got < 0 ? -errno : got;
}

int slipway_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int slipway_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int slipway_end_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int slipway_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1); }

int slipway_open_in_root(int root, const char *path, int flags, unsigned mode) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags, .mode = flags & O_CREAT ? mode : 0, .resolve = RESOLVE_IN_ROOT};
    int descriptor;
    do {
        descriptor = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

int slipway_syncfs(int descriptor) { return syncfs(descriptor); }
