#define _GNU_SOURCE
// The launcher: parent of one step for as long as it runs. It owns the step's namespaces, log, exit code and outputs,
// so that the server may die and come back in between.
//
// Files in the step's folder: `step` (the specification, written by the server), `lock` (held while the launcher
// lives), `launcher` (process id and start time, written before the step starts), `log`, `stdout`, `outputs/N`, and
// `result` (renamed into place as the last act). A second launcher for the same folder finds the lock held, or one of
// the last two files, and leaves: no step runs twice.
#include "Launcher.h"
#include "CStep.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Exit code of a step that could not be started, as container runtimes report it.
#define EXIT_START_ERROR 128
#define COLLECTED_MAX 256

static int step_folder;

uint64_t slipway_start_time_of_stat(const char *text, size_t length) {
    // The second field is the process name in parentheses and may hold anything, so fields count from the last ')'.
    const char *at = memrchr(text, ')', length);
    const char *end = text + length;
    int field = 2;
    while (at && at < end) {
        if (*at++ == ' ' && ++field == 22) {
            uint64_t value = 0;
            while (at < end && *at >= '0' && *at <= '9') {
                value = value * 10 + (uint64_t)(*at++ - '0');
            }
            return value;
        }
    }
    return 0;
}

/// Writes `text` to a file that appears whole or not at all.
static int write_file(const char *name, const char *text, size_t length) {
    char beside[64];
    snprintf(beside, sizeof beside, "%s.new", name);
    int file = openat(step_folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0) {
        return -1;
    }
    ssize_t written = write(file, text, length);
    close(file);
    return written == (ssize_t)length ? renameat(step_folder, beside, step_folder, name) : -1;
}

static void write_result(struct outcome *outcome) {
    char text[MESSAGE_BYTES_MAX + 256];
    for (char *at = outcome->message; *at; at++) {
        if (*at == '\n') {
            *at = ' ';
        }
    }
    int length = snprintf(
        text, sizeof text, "exit=%d\nsignal=%d\nstarted=%lld\nfinished=%lld\nreason=%s\nmessage=%s\n",
        outcome->exit_code, outcome->signal, (long long)outcome->started, (long long)outcome->finished,
        outcome->reason, outcome->message);
    write_file("result", text, (size_t)length);
}

static void *memory(size_t bytes) {
    void *room = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

/// Reads the file `step`: records of a key byte and text, each ended by a NUL byte.
static int read_specification(struct specification *step) {
    int file = openat(step_folder, "step", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0 || status.st_size > 64 << 20) {
        return -1;
    }
    char *text = memory((size_t)status.st_size);
    if (!text || read(file, text, (size_t)status.st_size) != status.st_size) {
        return -1;
    }
    close(file);
    size_t records = 0;
    for (off_t at = 0; at < status.st_size; at++) {
        records += text[at] == 0;
    }
    step->arguments = memory((records + 1) * sizeof(char *));
    step->environment = memory((records + 1) * sizeof(char *));
    step->binds = memory((records + 1) * sizeof(struct bind));
    step->hidden = memory((records + 1) * sizeof(char *));
    step->carried = memory((records + 1) * sizeof(char *));
    step->collected = memory((records + 1) * sizeof(char *));
    step->layers = memory((records + 1) * sizeof(char *));
    if (!step->arguments || !step->environment || !step->binds || !step->hidden || !step->carried ||
        !step->collected || !step->layers) {
        return -1;
    }
    step->user = step->group = -1;
    step->tmpfs_size = "50%";
    size_t argument = 0, variable = 0;
    struct bind *bind = NULL;
    for (char *at = text, *end = text + status.st_size; at < end; at += strlen(at) + 1) {
        char *value = at + 1;
        switch (*at) {
        case 'a': step->arguments[argument++] = value; break;
        case 'e': step->environment[variable++] = value; break;
        case 'w': step->working_directory = value; break;
        case 'h': step->host_name = value; break;
        case 's': step->staging = value; break;
        case 'z': step->tmpfs_size = value; break;
        case 'b':
            bind = &step->binds[step->bind_count++];
            *bind = (struct bind){value, "", "", ""};
            break;
        case 'o': if (bind) bind->source = value; break;
        case 'p': if (bind) bind->subpath = value; break;
        case 't': if (bind) bind->target = value; break;
        case 'm': step->hidden[step->hidden_count++] = value; break;
        case 'v': step->carried[step->carried_count++] = value; break;
        case 'c': step->collected[step->collected_count++] = value; break;
        case 'G': step->grace_milliseconds = atoll(value); break;
        case 'L': step->log_bytes_max = atoll(value); break;
        case 'R': step->result_bytes_max = atoll(value); break;
        case 'C': step->collected_bytes_max = atoll(value); break;
        case 'u': step->user = atoll(value); break;
        case 'g': step->group = atoll(value); break;
        case 'x': step->runtime = value; break;
        case 'k': step->container = value; break;
        case 'F': step->layer_folder = value; break;
        case 'i': step->layers[step->layer_count++] = value; break;
        default: return -1;
        }
    }
    bool is_whole = !step->runtime || (step->container && step->layer_folder && step->layer_count > 0);
    return argument > 0 && is_whole ? 0 : -1;
}

static void write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)!write(file, text, strlen(text));
        close(file);
    }
}

/// Becomes root of the user namespace.
static void map_user(uid_t user, gid_t group) {
    char text[64];
    write_text("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", user);
    write_text("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "0 %u 1", group);
    write_text("/proc/self/gid_map", text);
}

/// The step's own process, up to exec. What fails before exec goes through `failure` as text.
static void become_step(const struct specification *step, const char *folder, int out, int error, int failure) {
    char message[MESSAGE_BYTES_MAX];
    setsid();
    dup2(out, 1);
    dup2(error, 2);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (step->group >= 0 && (setgroups(0, NULL) < 0 || setresgid((gid_t)step->group, (gid_t)step->group, (gid_t)step->group) < 0)) {
        snprintf(message, sizeof message, "cannot become group %lld", (long long)step->group);
        goto failed;
    }
    if (step->user >= 0 && setresuid((uid_t)step->user, (uid_t)step->user, (uid_t)step->user) < 0) {
        snprintf(message, sizeof message, "cannot become user %lld", (long long)step->user);
        goto failed;
    }
    if (step->working_directory && chdir(step->working_directory) < 0) {
        // As container runtimes do: a working directory that is missing is made.
        if (errno != ENOENT || mkdir(step->working_directory, 0755) < 0 || chdir(step->working_directory) < 0) {
            snprintf(
                message, sizeof message, "cannot change to working directory \"%.800s\": %s", step->working_directory,
                strerrordesc_np(errno));
            goto failed;
        }
    }
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (step->runtime) {
        slipway_container_run(step, folder);
        snprintf(message, sizeof message, "cannot start the container runtime: %s", strerrordesc_np(errno));
        goto failed;
    }
    environ = step->environment;
    execvp(step->arguments[0], step->arguments);
    if (errno == ENOENT && !strchr(step->arguments[0], '/')) {
        snprintf(message, sizeof message, "exec: \"%.800s\": executable file not found in $PATH", step->arguments[0]);
    } else {
        snprintf(message, sizeof message, "exec: \"%.800s\": %s", step->arguments[0], strerrordesc_np(errno));
    }
failed:
    (void)!write(failure, message, strlen(message));
    _exit(EXIT_START_ERROR);
}

/// Kills and reaps whatever the step left behind. In a process namespace that is everything but this process.
static void kill_rest(bool namespaced) {
    for (int round = 0; round < 1000; round++) {
        if (namespaced) {
            kill(-1, SIGKILL);
        } else {
            // A subreaper's descendants become its children one generation at a time.
            char text[4096];
            snprintf(text, sizeof text, "/proc/self/task/%d/children", getpid());
            int file = open(text, O_RDONLY | O_CLOEXEC);
            ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
            close(file);
            text[length > 0 ? length : 0] = 0;
            for (char *at = text; *at;) {
                long child = strtol(at, &at, 10);
                if (child > 1) {
                    kill((pid_t)child, SIGKILL);
                }
                while (*at == ' ') {
                    at++;
                }
            }
        }
        pid_t reaped;
        while ((reaped = waitpid(-1, NULL, __WALL)) > 0) {
        }
        if (reaped < 0 && errno == ECHILD) {
            return;
        }
    }
}

/// Opens `path` in the step's root; without a root of its own (-1), in the host's.
static int open_in_root(int root, const char *path, int flags) {
    if (root < 0) {
        return open(path, flags);
    }
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/// Runs tar for one collected tree; the step is over, so the launcher may wait. False when the archive is not whole.
static bool collect_tree(int root, const char *path, int file) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') {
        folder[--length] = 0;
    }
    char *slash = strrchr(folder, '/');
    if (!slash) {
        return false;
    }
    *slash = 0;
    int parent = open_in_root(root, slash == folder ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) {
        return false;
    }
    char *arguments[] = {"tar", "-cf", "-", "--", slash + 1, NULL};
    char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
    pid_t child = _Fork();
    if (child == 0) {
        dup2(file, 1);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        environ = environment;
        if (fchdir(parent) == 0) {
            execvp("tar", arguments);
        }
        _exit(127);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    close(parent);
    // 1 says that a file changed while it was read: others may write to a volume.
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

/// Copies the paths that outputs are read from while the step's view still exists: `outputs/N`, or `outputs/N.large`
/// (empty) when the file is over the limit. A path that is missing leaves no file.
static void collect(const struct specification *step, int root) {
    if (step->collected_count == 0) {
        return;
    }
    mkdirat(step_folder, "outputs", 0750);
    for (size_t index = 0; index < step->collected_count && index < COLLECTED_MAX; index++) {
        const char *path = step->collected[index] + 1;
        bool tree = step->collected[index][0] == 't';
        char name[64], done[64];
        struct stat status;
        int source = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (source < 0) {
            continue;
        }
        if (fstat(source, &status) < 0 || !(S_ISREG(status.st_mode) || (tree && S_ISDIR(status.st_mode)))) {
            close(source);
            continue;
        }
        bool large = !tree && status.st_size > step->collected_bytes_max;
        snprintf(name, sizeof name, "outputs/%zu.new", index);
        snprintf(done, sizeof done, large ? "outputs/%zu.large" : "outputs/%zu", index);
        int copy = openat(step_folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (copy < 0) {
            close(source);
            continue;
        }
        bool is_whole = true;
        if (tree) {
            is_whole = collect_tree(root, path, copy);
        } else if (!large) {
            static char buffer[65536];
            int64_t left = step->collected_bytes_max;
            ssize_t count = 1;
            while (left > 0 && is_whole && count != 0) {
                count = read(source, buffer, sizeof buffer);
                is_whole = count >= 0 && write(copy, buffer, (size_t)count) == count;
                left -= count;
            }
        }
        close(source);
        is_whole = close(copy) == 0 && is_whole;
        // Half an output, as a full disk leaves it, is none.
        if (is_whole) {
            renameat(step_folder, name, step_folder, done);
        } else {
            unlinkat(step_folder, name, 0);
        }
    }
}

static int64_t monotonic_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Pumps output and signals until the step has ended; fills `outcome`.
static void supervise(
    const struct specification *step, pid_t child, int signals, struct step_stream *streams, struct step_log *log,
    struct outcome *outcome, bool namespaced) {
    bool running = true, open[2] = {true, true};
    int64_t kill_at = -1;
    while (running) {
        struct pollfd waits[3] = {
            {.fd = signals, .events = POLLIN},
            {.fd = open[0] ? streams[0].pipe : -1, .events = POLLIN},
            {.fd = open[1] ? streams[1].pipe : -1, .events = POLLIN},
        };
        int64_t timeout = -1;
        if (streams[0].pending + streams[1].pending > 0) {
            timeout = 200;
        }
        if (kill_at >= 0) {
            int64_t left = kill_at - monotonic_milliseconds();
            left = left < 0 ? 0 : left;
            timeout = timeout < 0 || left < timeout ? left : timeout;
        }
        int ready = poll(waits, 3, (int)timeout);
        if (ready == 0) {
            slipway_stream_flush(&streams[0], log);
            slipway_stream_flush(&streams[1], log);
        }
        if (kill_at >= 0 && monotonic_milliseconds() >= kill_at) {
            kill(child, SIGKILL);
            kill_at = -1;
        }
        for (int index = 0; index < 2; index++) {
            if (open[index] && waits[index + 1].revents) {
                open[index] = slipway_stream_pump(&streams[index], log);
            }
        }
        struct signalfd_siginfo info;
        while (read(signals, &info, sizeof info) == sizeof info) {
            if (info.ssi_signo == SIGTERM) {
                // The value is the grace period in milliseconds; -1 asks for the specification's.
                int64_t grace = info.ssi_int >= 0 ? info.ssi_int : step->grace_milliseconds;
                kill(child, grace == 0 ? SIGKILL : SIGTERM);
                int64_t at = monotonic_milliseconds() + grace;
                kill_at = kill_at < 0 || at < kill_at ? at : kill_at;
                outcome->reason = "Stopped";
            }
        }
        int status;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended != child) {
                continue;
            }
            running = false;
            outcome->finished = slipway_now();
            if (WIFSIGNALED(status)) {
                outcome->signal = WTERMSIG(status);
                outcome->exit_code = 128 + outcome->signal;
            } else {
                outcome->exit_code = WEXITSTATUS(status);
            }
            if (strcmp(outcome->reason, "Stopped") != 0) {
                outcome->reason = outcome->exit_code == 0 ? "Completed" : "Error";
            }
        }
    }
    kill_rest(namespaced);
    for (int index = 0; index < 2; index++) {
        while (open[index]) {
            struct pollfd wait = {.fd = streams[index].pipe, .events = POLLIN};
            // Without a namespace a process may have escaped with the pipe: what is there is read, no more awaited.
            if (poll(&wait, 1, 0) <= 0) {
                break;
            }
            open[index] = slipway_stream_pump(&streams[index], log);
        }
        slipway_stream_flush(&streams[index], log);
    }
}

int slipway_launcher_run(const char *folder, int isolation, uid_t user, gid_t group) {
    static struct specification step;
    static struct step_stream streams[2] = {{.name = "stdout", .copy = -1}, {.name = "stderr", .copy = -1}};
    static struct outcome outcome;
    struct step_log log;
    bool namespaced = isolation != SLIPWAY_ISOLATION_PLAIN;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "slipway-step");
    step_folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = openat(step_folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0 || faccessat(step_folder, "launcher", F_OK, 0) == 0 ||
        faccessat(step_folder, "result", F_OK, 0) == 0) {
        return 1;
    }
    outcome.started = outcome.finished = slipway_now();
    outcome.exit_code = EXIT_START_ERROR;
    outcome.reason = "StartError";
    // Read through the old /proc, which still counts processes as the server does.
    char text[1024];
    int stat_file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(stat_file, text, sizeof text - 1);
    close(stat_file);
    text[length > 0 ? length : 0] = 0;
    char record[96];
    int record_length = snprintf(
        record, sizeof record, "%ld %llu\n", atol(text),
        (unsigned long long)slipway_start_time_of_stat(text, length > 0 ? (size_t)length : 0));
    if (write_file("launcher", record, (size_t)record_length) < 0) {
        return 1;
    }
    if (isolation == SLIPWAY_ISOLATION_USER_NAMESPACE) {
        map_user(user, group);
    }
    if (read_specification(&step) < 0) {
        snprintf(outcome.message, sizeof outcome.message, "the step's specification cannot be read");
        write_result(&outcome);
        return 1;
    }
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int root = -1;
    if (step.runtime && isolation != SLIPWAY_ISOLATION_NAMESPACES) {
        snprintf(outcome.message, sizeof outcome.message, "a server that is not root cannot run images");
        write_result(&outcome);
        return 1;
    }
    if (namespaced) {
        if (step.host_name) {
            sethostname(step.host_name, strlen(step.host_name));
        }
        root = slipway_view_enter(&step, isolation == SLIPWAY_ISOLATION_USER_NAMESPACE, outcome.message);
        if (root < 0) {
            write_result(&outcome);
            return 1;
        }
    }
    int out[2], error[2], failure[2];
    int signals = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0) {
        snprintf(outcome.message, sizeof outcome.message, "cannot make pipes: %s", strerrordesc_np(errno));
        write_result(&outcome);
        return 1;
    }
    slipway_log_open(&log, step_folder, step.log_bytes_max > 0 ? step.log_bytes_max : 10 << 20);
    umask(022);
    pid_t child = _Fork();
    if (child == 0) {
        become_step(&step, folder, out[1], error[1], failure[1]);
    }
    close(out[1]);
    close(error[1]);
    close(failure[1]);
    if (child < 0) {
        snprintf(outcome.message, sizeof outcome.message, "cannot fork: %s", strerrordesc_np(errno));
        write_result(&outcome);
        return 1;
    }
    // Ends at exec, because the other end is close-on-exec.
    ssize_t failure_length;
    while ((failure_length = read(failure[0], outcome.message, sizeof outcome.message - 1)) < 0 && errno == EINTR) {
    }
    close(failure[0]);
    if (failure_length > 0) {
        outcome.message[failure_length] = 0;
        kill_rest(namespaced);
        outcome.finished = slipway_now();
        write_result(&outcome);
        return 0;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    streams[0].pipe = out[0];
    streams[1].pipe = error[0];
    if (step.result_bytes_max > 0) {
        streams[0].copy = openat(step_folder, "stdout", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        // One byte over the limit tells the reader that there was more.
        streams[0].copy_left = step.result_bytes_max + 1;
    }
    outcome.reason = "";
    supervise(&step, child, signals, streams, &log, &outcome, namespaced);
    if (step.runtime) {
        slipway_container_remove(&step);
    }
    collect(&step, root);
    write_result(&outcome);
    return 0;
}
