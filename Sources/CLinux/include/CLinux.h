// What Swift's Glibc module lacks: epoll, eventfd, sendfile, and the calls that need _GNU_SOURCE, wrapped in CLinux.c.
// _GNU_SOURCE is not defined here: it changes the layout names of fd_set, and Swift's own Glibc module has them without.
#pragma once
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC.
int slipway_accept4(int descriptor, struct sockaddr *address, socklen_t *length);

// pipe2 with O_CLOEXEC and O_NONBLOCK.
int slipway_pipe(int ends[2]);

// prctl is variadic, which Swift cannot call. The kernel sends `signal` to this process when its parent's thread ends.
int slipway_end_with_parent(int signal);
// Orphaned descendants become children of this process.
int slipway_become_subreaper(void);

int slipway_pthread_setname(pthread_t thread, const char *name);

// posix_spawn_file_actions_addclosefrom_np: the child starts with no descriptor from `first` on.
int slipway_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

// The event loop that runs on the calling thread, or null. Thread-local, so that a job can tell where it is.
void *slipway_current_loop(void);
void slipway_set_current_loop(void *loop);

// preadv2 with RWF_NOWAIT: bytes that are in the page cache, -EAGAIN when there are none at `offset` and the disk must be
// waited for, another negative errno on failure. A file system without the flag is read the plain way.
ssize_t slipway_pread_cached(int descriptor, void *bytes, size_t count, int64_t offset);

// Hands dirty pages of a file to the disk without waiting for them. A hint: its failure changes nothing.
void slipway_start_writeback(int descriptor, int64_t offset, int64_t bytes);

// openat2 with RESOLVE_IN_ROOT: `path` is looked up as if `root` were `/`, so no link in it leads elsewhere. A descriptor,
// or -1 with errno.
int slipway_open_in_root(int root, const char *path, int flags, unsigned mode);

// syncfs: what was written to the file system that `descriptor` lies in is on the disk. 0, or -1 with errno.
int slipway_syncfs(int descriptor);
