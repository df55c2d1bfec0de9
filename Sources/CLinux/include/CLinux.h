// What Swift's Glibc module lacks: epoll, eventfd, accept4, sendfile and a few flags. Static inline only.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int slipway_accept4(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int slipway_pthread_setname(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

// The event loop that runs on the calling thread, or null. Thread-local, so that a job can tell where it is.
void *slipway_current_loop(void);
void slipway_set_current_loop(void *loop);
