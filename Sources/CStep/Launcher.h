// Inside CStep: what the launcher's files share.
#pragma once
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Longest text of one result field.
#define MESSAGE_BYTES_MAX 1024

/// One bind mount of the step.
struct bind {
    const char *flags;   // "r" read-only or "w" writable
    const char *source;  // absolute path on the host
    const char *subpath; // below source, "" for source itself
    const char *target;  // absolute path in the step's view
};

/// The specification as the launcher uses it; texts point into the file's own bytes.
struct specification {
    char **arguments;
    char **environment;
    const char *working_directory;
    const char *host_name;
    const char *staging;      // an empty folder on which the private root is put together
    const char *tmpfs_size;   // size option of the private root and /tmp
    struct bind *binds;
    size_t bind_count;
    const char **hidden;      // folders that the step must not see
    size_t hidden_count;
    const char **carried;     // host mount points to show, outermost only
    size_t carried_count;
    const char **collected;   // paths to copy after the step, "f" or "t" (tree, as tar) and the path
    size_t collected_count;
    int64_t grace_milliseconds;
    int64_t log_bytes_max;
    int64_t result_bytes_max; // bytes of standard output to keep beside the log; 0 for none
    int64_t collected_bytes_max;
    int64_t user;             // -1 for the server's
    int64_t group;
    const char *runtime;      // the OCI runtime's program for a step in an image, or NULL
    const char *container;    // its name there
    const char *layer_folder; // holds a folder for each layer
    const char **layers;      // their names, topmost first
    size_t layer_count;
};

/// What became of a step.
struct outcome {
    int exit_code;
    int signal;
    int64_t started;
    int64_t finished;
    const char *reason;
    char message[MESSAGE_BYTES_MAX];
};

/// Runs the step in `folder` to its end; the launcher's whole life. Returns its exit status.
int slipway_launcher_run(const char *folder, int isolation, uid_t user, gid_t group);

/// Puts the step's root together with its volumes, and moves into it unless a runtime will. Returns a descriptor of that
/// root, or -1 with `message` filled.
int slipway_view_enter(const struct specification *specification, bool user_namespace, char *message);

/// Puts the root of an image together at `root` (4096 bytes). 0, or -1 with `message` filled.
int slipway_image_root(const struct specification *specification, char *root, char *message);

/// Becomes the OCI runtime's `run` of the step in `folder`. Returns only when that fails.
void slipway_container_run(const struct specification *specification, const char *folder);

/// Removes what a runtime that was killed has left of its container outside of this process's namespaces.
void slipway_container_remove(const struct specification *specification);

/// Mounts memory of the step's own. 0 or -1.
int slipway_mount_memory(const char *target, const char *size, const char *mode);

/// Fills `message` with what failed at `path` and why. Returns -1.
int slipway_fail(char *message, const char *what, const char *path);

/// Field 22 of the text of /proc/PID/stat.
uint64_t slipway_start_time_of_stat(const char *text, size_t length);

/// The present moment in nanoseconds since 1970.
int64_t slipway_now(void);

/// The log of a step: lines in the container runtimes' form, `TIME stdout|stderr F|P TEXT`.
struct step_log {
    int folder;
    int descriptor;
    int64_t bytes;
    int64_t bytes_max;
    int64_t second;
    char second_text[24];
};

/// One of the step's two output streams on its way into the log.
struct step_stream {
    const char *name;
    int pipe;
    int copy;          // file that also receives the raw bytes, or -1
    int64_t copy_left; // bytes it still takes
    size_t pending;
    char line[16384];
};

void slipway_log_open(struct step_log *log, int folder, int64_t bytes_max);
/// Reads what the pipe holds. False at its end.
bool slipway_stream_pump(struct step_stream *stream, struct step_log *log);
/// Writes an unfinished line as a partial one.
void slipway_stream_flush(struct step_stream *stream, struct step_log *log);
