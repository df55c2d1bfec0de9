// The process side of a step: a spawner forked once per server, and one launcher per step that outlives the server.
//
// All of it is C without heap or locks, because the spawner is forked from a process that has threads: between fork
// and exec only async-signal-safe calls are allowed, and the launcher lives in that state for as long as the step runs.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// How a launcher isolates its step.
enum slipway_isolation {
    /// A plain process group; descendants are found through PR_SET_CHILD_SUBREAPER.
    SLIPWAY_ISOLATION_PLAIN = 0,
    /// Own mount, process, host name and IPC namespaces; needs root.
    SLIPWAY_ISOLATION_NAMESPACES = 1,
    /// The same inside a user namespace of its own; needs no root where the kernel allows it.
    SLIPWAY_ISOLATION_USER_NAMESPACE = 2,
};

/// Forks the spawner. Returns its end of a SOCK_SEQPACKET pair, or -errno; `pid` receives its process id.
/// The spawner ends when the returned descriptor is closed and its last launcher has ended.
int slipway_spawner_start(pid_t *pid);

/// Asks the spawner for a launcher of the step in `folder` (absolute path, 4,000 bytes at most). Returns a pidfd of
/// the launcher (close-on-exec), or -errno; `pid` receives its process id. Blocks for about a millisecond.
/// Not to be called by two threads at once on one socket.
int slipway_spawner_launch(int socket, const char *folder, int isolation, pid_t *pid);

/// Sends `signal` with `value` to the process behind `pidfd`; 0 or -errno.
int slipway_pidfd_signal(int pidfd, int signal, int value);

/// A close-on-exec descriptor of process `pid`; -errno when there is none.
int slipway_pidfd_open(pid_t pid);

/// The start time of process `pid` in clock ticks since boot (field 22 of /proc/PID/stat); 0 when there is none.
uint64_t slipway_process_start_time(pid_t pid);

/// A command to run in a step's view, with the step's own environment and user.
struct slipway_exec {
    int launcher;                        // pidfd of the step's launcher
    int isolation;                       // as the step was started
    const char *const *arguments;        // ended by NULL, as is the next
    const char *const *environment;
    const char *working_directory;       // or NULL
    int64_t user;                        // -1 for the server's
    int64_t group;
    int input, output, error;            // become descriptors 0, 1 and 2
    int terminal;                        // nonzero: `input` is a terminal, which becomes the controlling one
    const char *process_file;            // or NULL: where the command, a runtime, writes the id of what it starts for us
};

/// Starts the command. Returns a pidfd of the process that keeps it, or -errno; `pid` receives its id. SIGTERM to it
/// kills the command and its process group.
int slipway_exec_start(const struct slipway_exec *exec, pid_t *pid);

/// The exit code of what `slipway_exec_start` started, once; -EAGAIN while it runs.
int slipway_exec_code(int pidfd);

/// A pseudo terminal: its master (non-blocking), or -errno; `slave` receives the other end.
int slipway_terminal_open(int *slave);

/// Sets a terminal's size, which signals the programs on it.
int slipway_terminal_resize(int master, int columns, int rows);
