#define _GNU_SOURCE
// Further processes in a running step's view: what `kubectl exec` and exec probes start.
//
// The server forks a keeper, which enters the step's namespaces and forks the command: only a process forked after
// setns(2) is in the process namespace. The keeper waits for the command, ends it when it is told to or the server
// dies, and hands its exit code on. Between fork and exec only async-signal-safe calls are made.
#include "CStep.h"
#include "Launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/// Exit codes of a command that could not be started, as shells and container runtimes report them.
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

static void say(const char *what, const char *subject) {
    char text[MESSAGE_BYTES_MAX];
    int length = snprintf(text, sizeof text, "exec failed: %s%.800s\r\n", what, subject);
    (void)!write(2, text, (size_t)length);
}

/// The command's own process, up to exec.
static void become_command(const struct slipway_exec *exec) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(exec->input, 0);
    dup2(exec->output, 1);
    dup2(exec->error, 2);
    if (exec->terminal) {
        ioctl(0, TIOCSCTTY, 0);
    }
    syscall(SYS_close_range, 3U, ~0U, 0);
    umask(022);
    if (exec->group >= 0 && (setgroups(0, NULL) < 0 || setresgid((gid_t)exec->group, (gid_t)exec->group, (gid_t)exec->group) < 0)) {
        say("cannot become the container's group", "");
        _exit(EXIT_NOT_EXECUTABLE);
    }
    if (exec->user >= 0 && setresuid((uid_t)exec->user, (uid_t)exec->user, (uid_t)exec->user) < 0) {
        say("cannot become the container's user", "");
        _exit(EXIT_NOT_EXECUTABLE);
    }
    // Becoming somebody else has undone it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (exec->working_directory && chdir(exec->working_directory) < 0) {
        say("cannot change to the working directory ", exec->working_directory);
        _exit(EXIT_NOT_EXECUTABLE);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    environ = (char **)exec->environment;
    execvp(exec->arguments[0], (char **)exec->arguments);
    int failure = errno;
    if (failure == ENOENT) {
        say("executable file not found in $PATH: ", exec->arguments[0]);
        _exit(EXIT_NOT_FOUND);
    }
    say(failure == EACCES ? "permission denied: " : "cannot execute ", exec->arguments[0]);
    _exit(EXIT_NOT_EXECUTABLE);
}

/// Kills what a runtime has started for us: it belongs to the container and outlives the runtime. False until the runtime has
/// said which process it is. In a process of its own, because that number counts in the container's namespaces.
static bool kill_started(const char *process_file) {
    pid_t killer = _Fork();
    if (killer == 0) {
        char text[16] = "";
        int file = open(process_file, O_RDONLY | O_CLOEXEC);
        ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
        pid_t started = length > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
        if (started > 1) {
            kill(-started, SIGKILL);
            kill(started, SIGKILL);
        }
        _exit(started > 1 ? 0 : 1);
    }
    int status = 0;
    while (killer > 0 && waitpid(killer, &status, 0) < 0 && errno == EINTR) {
    }
    return killer > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The keeper's life; every signal is blocked when it begins.
static void keep(const struct slipway_exec *exec) {
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "slipway-exec");
    int spaces = 0;
    if (exec->isolation != SLIPWAY_ISOLATION_PLAIN) {
        spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
    }
    if (exec->isolation == SLIPWAY_ISOLATION_USER_NAMESPACE) {
        spaces |= CLONE_NEWUSER;
    }
    if (spaces && setns(exec->launcher, spaces) < 0) {
        dup2(exec->error, 2);
        say("cannot enter the container: ", strerrordesc_np(errno));
        _exit(EXIT_NOT_EXECUTABLE);
    }
    pid_t child = _Fork();
    if (child == 0) {
        become_command(exec);
    }
    syscall(SYS_close_range, 0U, ~0U, 0);
    if (child < 0) {
        _exit(EXIT_NOT_EXECUTABLE);
    }
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    // Rounds of 20 ms since the command was to end. What a runtime has started is killed once; a runtime that is still
    // there after two seconds, because it has said nothing or copies for what the command left behind, is killed itself.
    int rounds = 0;
    bool is_killed = false;
    for (;;) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child) {
            if (exec->process_file) {
                unlink(exec->process_file);
            }
            _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        }
        struct timespec pause = {0, 20000000};
        int signal = rounds ? sigtimedwait(&awaited, NULL, &pause) : sigwaitinfo(&awaited, NULL);
        if (signal == SIGCHLD || (signal != SIGTERM && !rounds)) {
            continue;
        }
        rounds++;
        if (exec->process_file && !is_killed) {
            is_killed = kill_started(exec->process_file);
        }
        if (!exec->process_file || rounds > 100) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
        }
    }
}

int slipway_exec_start(const struct slipway_exec *exec, pid_t *out_pid) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = _Fork();
    if (pid == 0) {
        keep(exec);
    }
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        return -failure;
    }
    *out_pid = pid;
    // The keeper cannot be reaped by anybody else, so its number still stands for it.
    int descriptor = slipway_pidfd_open(pid);
    if (descriptor < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return descriptor;
}

int slipway_exec_code(int pidfd) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) {
        return -errno;
    }
    if (info.si_pid == 0) {
        return -EAGAIN;
    }
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int slipway_terminal_open(int *slave) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    char name[128];
    if (master < 0) {
        return -errno;
    }
    if (grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof name) != 0 ||
        (*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        int failure = errno;
        close(master);
        return -failure;
    }
    return master;
}

int slipway_terminal_resize(int master, int columns, int rows) {
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
