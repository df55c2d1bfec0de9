#define _GNU_SOURCE
// The spawner: one small process that forks launchers on request. Forking from it costs the same however large the
// server has grown, and its launchers live on when the server dies.
#include "CStep.h"
#include "Launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX 4096

struct reply {
    int32_t pid_or_error;
};

/// Moves every descriptor but `keep` out of the way: `keep` becomes `wanted`, 0-2 become /dev/null.
static void close_all_but(int keep, int wanted) {
    if (keep != wanted) {
        dup3(keep, wanted, O_CLOEXEC);
    }
    int null = open("/dev/null", O_RDWR);
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        dup2(null, descriptor);
    }
    syscall(SYS_close_range, (unsigned)wanted + 1, ~0U, 0);
}

/// fork(2) with extra clone flags and a pidfd, without the C library's fork handlers.
static pid_t clone_with_pidfd(unsigned long flags, int *pidfd) {
    return (pid_t)syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
}

static void answer(int socket, int32_t pid_or_error, int pidfd) {
    struct reply reply = {pid_or_error};
    struct iovec part = {&reply, sizeof reply};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (pidfd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &pidfd, sizeof(int));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

static void spawn(int socket, const char *request) {
    static const unsigned long namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    int isolation = request[0] - '0';
    unsigned long flags = 0;
    if (isolation == SLIPWAY_ISOLATION_NAMESPACES) {
        flags = namespaces;
    } else if (isolation == SLIPWAY_ISOLATION_USER_NAMESPACE) {
        flags = namespaces | CLONE_NEWUSER;
    }
    int pidfd = -1;
    uid_t user = geteuid();
    gid_t group = getegid();
    pid_t pid = clone_with_pidfd(flags, &pidfd);
    if (pid == 0) {
        close(socket);
        _exit(slipway_launcher_run(request + 1, isolation, user, group));
    }
    if (pid < 0) {
        answer(socket, -errno, -1);
    } else {
        answer(socket, pid, pidfd);
        close(pidfd);
    }
}

/// Serves requests until the server closes its end, then stays to reap the launchers that are left.
static void serve(int socket, int children) {
    static char request[REQUEST_BYTES_MAX];
    prctl(PR_SET_NAME, "slipway-spawner");
    for (;;) {
        struct pollfd waits[2] = {{.fd = socket, .events = POLLIN}, {.fd = children, .events = POLLIN}};
        poll(waits, 2, -1);
        struct signalfd_siginfo info;
        while (read(children, &info, sizeof info) == sizeof info) {
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (!waits[0].revents) {
            continue;
        }
        ssize_t length = recv(socket, request, sizeof request - 1, MSG_DONTWAIT);
        if (length < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (length <= 0) {
            break;
        }
        request[length] = 0;
        spawn(socket, request);
    }
    close(socket);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
    _exit(0);
}

int slipway_spawner_start(pid_t *out_pid) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    // Every signal stays blocked across the fork, so that no handler of the server runs in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = _Fork();
    if (pid == 0) {
        for (int signal = 1; signal < NSIG; signal++) {
            struct sigaction standard = {.sa_handler = SIG_DFL};
            sigaction(signal, &standard, NULL);
        }
        close_all_but(pair[1], 3);
        setsid();
        serve(3, signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC));
    }
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -failure;
    }
    *out_pid = pid;
    return pair[0];
}

int slipway_spawner_launch(int socket, const char *folder, int isolation, pid_t *pid) {
    char request[REQUEST_BYTES_MAX];
    int length = snprintf(request, sizeof request, "%d%s", isolation, folder);
    if (length < 0 || length >= REQUEST_BYTES_MAX - 1) {
        return -ENAMETOOLONG;
    }
    while (send(socket, request, (size_t)length, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    struct reply reply;
    struct iovec part = {&reply, sizeof reply};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t received;
    while ((received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (received != sizeof reply) {
        return received < 0 ? -errno : -EPIPE;
    }
    if (reply.pid_or_error < 0) {
        return reply.pid_or_error;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header) {
        return -EPROTO;
    }
    int pidfd;
    memcpy(&pidfd, CMSG_DATA(header), sizeof(int));
    *pid = reply.pid_or_error;
    return pidfd;
}

int slipway_pidfd_signal(int pidfd, int signal, int value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0) < 0 ? -errno : 0;
}

int slipway_pidfd_open(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : descriptor;
}

uint64_t slipway_process_start_time(pid_t pid) {
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    return length > 0 ? slipway_start_time_of_stat(text, (size_t)length) : 0;
}
