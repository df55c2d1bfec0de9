#define _GNU_SOURCE
// The private root of a step: an overlay whose lower layer is the host's root, read as it is, and whose upper layer is
// memory of the step's own. What a step writes outside its volumes is gone with it and never reaches the host.
#include "Launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> cannot be included together on every system, so these stand here.
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

int slipway_fail(char *message, const char *what, const char *path) {
    int failure = errno;
    snprintf(message, MESSAGE_BYTES_MAX, "%s %s: %s", what, path, strerrordesc_np(failure));
    return -1;
}

static int open_tree(int folder, const char *path, unsigned flags) {
    return (int)syscall(SYS_open_tree, folder, path, flags);
}

static int move_tree(int tree, const char *target) {
    return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int make_read_only(int tree) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes);
}

/// Opens `subpath` below `source` without ever leaving it, making missing folders on the way.
static int open_below(const char *source, const char *subpath) {
    int root = open(source, O_PATH | O_CLOEXEC);
    if (root < 0 || subpath[0] == 0) {
        return root;
    }
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    char path[4096];
    size_t length = strlen(subpath);
    if (length >= sizeof path) {
        close(root);
        errno = ENAMETOOLONG;
        return -1;
    }
    int folder = dup(root);
    for (size_t at = 0; at <= length; at++) {
        if (subpath[at] != '/' && subpath[at] != 0) {
            continue;
        }
        memcpy(path, subpath, at);
        path[at] = 0;
        if (at == 0) {
            continue;
        }
        int next = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (next < 0 && errno == ENOENT) {
            const char *name = strrchr(path, '/');
            mkdirat(folder, name ? name + 1 : path, 0777);
            next = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        }
        close(folder);
        folder = next;
        if (next < 0) {
            break;
        }
    }
    close(root);
    return folder;
}

/// Makes `path` and its parents; the last part is a folder or an empty file.
static int make_target(const char *path, bool folder) {
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (size_t at = 1; at <= length; at++) {
        if (path[at] != '/' && path[at] != 0) {
            continue;
        }
        memcpy(part, path, at);
        part[at] = 0;
        if (at < length || folder) {
            if (mkdir(part, 0755) < 0 && errno != EEXIST) {
                return -1;
            }
        } else {
            int file = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            if (file < 0) {
                return -1;
            }
            close(file);
        }
    }
    return 0;
}

int slipway_mount_memory(const char *target, const char *size, const char *mode) {
    char options[96];
    snprintf(options, sizeof options, "size=%s,mode=%s", size, mode);
    return mount("tmpfs", target, "tmpfs", 2 /* MS_NOSUID */ | 4 /* MS_NODEV */, options);
}

/// The host's root as a step without an image sees it.
static int host_root(const struct specification *step, bool user_namespace, char *root, char *message) {
    if (slipway_mount_memory(step->staging, step->tmpfs_size, "755") < 0) {
        return slipway_fail(message, "cannot mount memory at", "the private root");
    }
    snprintf(root, 4096, "%s/root", step->staging);
    // From here, because a comma or colon of a path would be taken for a separator of the options.
    if (chdir(step->staging) < 0) {
        return slipway_fail(message, "cannot enter", "the private root");
    }
    mkdir("upper", 0755);
    mkdir("work", 0755);
    mkdir("root", 0755);
    const char *options =
        user_namespace ? "lowerdir=/,upperdir=upper,workdir=work,userxattr" : "lowerdir=/,upperdir=upper,workdir=work";
    if (mount("overlay", "root", "overlay", 0, options) < 0) {
        return slipway_fail(message, "cannot mount overlay at", "the private root");
    }
    char path[2 * 4096];
    for (size_t index = 0; index < step->carried_count; index++) {
        const char *carried = step->carried[index];
        int tree = open_tree(AT_FDCWD, carried, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (tree < 0) {
            continue; // A mount that the server may not see is not shown to the step either.
        }
        if (strcmp(carried, "/dev") != 0) {
            make_read_only(tree);
        }
        snprintf(path, sizeof path, "%s%s", root, carried);
        move_tree(tree, path);
        close(tree);
    }
    snprintf(path, sizeof path, "%s/proc", root);
    if (mount("proc", path, "proc", 2 | 4 | 8, NULL) < 0) {
        return slipway_fail(message, "cannot mount", "/proc");
    }
    snprintf(path, sizeof path, "%s/tmp", root);
    mkdir(path, 01777);
    if (slipway_mount_memory(path, step->tmpfs_size, "1777") < 0) {
        return slipway_fail(message, "cannot mount", "/tmp");
    }
    snprintf(path, sizeof path, "%s/dev/shm", root);
    slipway_mount_memory(path, step->tmpfs_size, "1777");
    for (size_t index = 0; index < step->hidden_count; index++) {
        snprintf(path, sizeof path, "%s%s", root, step->hidden[index]);
        if (access(path, F_OK) == 0 && slipway_mount_memory(path, "64k", "755") < 0) {
            return slipway_fail(message, "cannot hide", "the server's folder");
        }
    }
    return 0;
}

/// Opens what is to be mounted on the host's view, before anything is mounted over it.
static int open_volumes(const struct specification *step, int *trees, bool *folders, char *message) {
    for (size_t index = 0; index < step->bind_count; index++) {
        const struct bind *bind = &step->binds[index];
        int source = open_below(bind->source, bind->subpath);
        if (source < 0) {
            return slipway_fail(message, "cannot open the volume for", bind->target);
        }
        struct stat status;
        fstat(source, &status);
        folders[index] = S_ISDIR(status.st_mode);
        trees[index] = open_tree(
            source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        close(source);
        if (trees[index] < 0 || (bind->flags[0] == 'r' && make_read_only(trees[index]) < 0)) {
            return slipway_fail(message, "cannot bind the volume for", bind->target);
        }
    }
    return 0;
}

/// Mounts the volumes at their targets in the present root, so that a symbolic link on the way resolves there.
static int place_volumes(const struct specification *step, const int *trees, const bool *folders, char *message) {
    for (size_t index = 0; index < step->bind_count; index++) {
        const char *target = step->binds[index].target;
        if (make_target(target, folders[index]) < 0 || move_tree(trees[index], target) < 0) {
            return slipway_fail(message, "cannot mount a volume at", target);
        }
        close(trees[index]);
    }
    return 0;
}

/// Puts an image's root together beside the host's, which the runtime needs, and mounts the volumes in it.
static int enter_image(const struct specification *step, const int *trees, const bool *folders, char *message) {
    char root[4096];
    int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (slipway_image_root(step, root, message) < 0) {
        return -1;
    }
    if (host < 0 || chroot(root) < 0 || chdir("/") < 0) {
        return slipway_fail(message, "cannot enter", "the image's root");
    }
    int placed = place_volumes(step, trees, folders, message);
    int image = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fchdir(host) < 0 || chroot(".") < 0) {
        return slipway_fail(message, "cannot leave", "the image's root");
    }
    close(host);
    return placed < 0 ? -1 : image;
}

int slipway_view_enter(const struct specification *step, bool user_namespace, char *message) {
    char root[4096];
    int trees[step->bind_count + 1];
    bool folders[step->bind_count + 1];
    if (open_volumes(step, trees, folders, message) < 0) {
        return -1;
    }
    if (mount("none", "/", NULL, (1UL << 14) /* MS_REC */ | (1UL << 18) /* MS_PRIVATE */, NULL) < 0) {
        return slipway_fail(message, "cannot make mounts private at", "/");
    }
    if (step->runtime) {
        return enter_image(step, trees, folders, message);
    }
    if (host_root(step, user_namespace, root, message) < 0) {
        return -1;
    }
    if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
        return slipway_fail(message, "cannot enter", "the private root");
    }
    return place_volumes(step, trees, folders, message) < 0 ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}
