#define _GNU_SOURCE
// Steps that run in an image. The launcher puts the image's layers and the step's volumes together as one root; an OCI
// runtime (runc) makes the container on it. The root, the runtime's own state and the container live in the launcher's
// namespaces and memory, so they are gone with it however it ends; only a control group is left to remove.
#include "Launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int slipway_image_root(const struct specification *step, char *root, char *message) {
    if (slipway_mount_memory(step->staging, step->tmpfs_size, "711") < 0) {
        return slipway_fail(message, "cannot mount memory at", "the image's root");
    }
    char options[16384];
    snprintf(root, 4096, "%s/root", step->staging);
    int staging = open(step->staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
    mkdirat(staging, "upper", 0755);
    mkdirat(staging, "work", 0755);
    mkdirat(staging, "state", 0700);
    mkdirat(staging, "root", 0755);
    // Layers by names below the working directory, because the kernel takes one page of options at most; the rest by
    // descriptor, because a comma or colon of a path would be taken for a separator.
    if (chdir(step->layer_folder) < 0) {
        return slipway_fail(message, "cannot enter", "the folder of image layers");
    }
    size_t length = (size_t)snprintf(
        options, sizeof options, "upperdir=/proc/self/fd/%d/upper,workdir=/proc/self/fd/%d/work,lowerdir=", staging,
        staging);
    for (size_t index = 0; index < step->layer_count && length < sizeof options; index++) {
        length += (size_t)snprintf(
            options + length, sizeof options - length, "%s%s", index ? ":" : "", step->layers[index]);
    }
    if (length >= (size_t)sysconf(_SC_PAGESIZE)) {
        errno = E2BIG;
        return slipway_fail(message, "cannot join", "so many image layers");
    }
    if (mount("overlay", root, "overlay", 0, options) < 0) {
        return slipway_fail(message, "cannot join the layers at", "the image's root");
    }
    close(staging);
    // The runtime looks processes up in it, and counts them as this namespace does.
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
        return slipway_fail(message, "cannot mount", "/proc");
    }
    return chdir("/") < 0 ? slipway_fail(message, "cannot enter", "/") : 0;
}

static char *const runtime_environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

void slipway_container_run(const struct specification *step, const char *folder) {
    char state[4096], log[4096];
    snprintf(state, sizeof state, "%s/state", step->staging);
    snprintf(log, sizeof log, "%s/runtime.log", folder);
    char *arguments[] = {
        (char *)step->runtime, "--root", state, "--log", log, "--log-format", "json", "run", "--bundle",
        (char *)folder, (char *)step->container, NULL};
    environ = (char **)runtime_environment;
    execv(step->runtime, arguments);
}

void slipway_container_remove(const struct specification *step) {
    char state[4096], kept[2 * 4096];
    snprintf(state, sizeof state, "%s/state", step->staging);
    snprintf(kept, sizeof kept, "%s/%s", state, step->container);
    if (access(kept, F_OK) < 0) {
        return;
    }
    pid_t child = _Fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        char *arguments[] = {
            (char *)step->runtime, "--root", state, "delete", "--force", (char *)step->container, NULL};
        environ = (char **)runtime_environment;
        execv(step->runtime, arguments);
        _exit(127);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
}
