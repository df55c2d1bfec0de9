#define _GNU_SOURCE
// The log of a step. One file, `log`, and one older part, `log.1`: together at most twice the stated size. Each line
// carries the time it was read and its stream, so that `kubectl logs --timestamps`, `--since` and `--tail` need no
// index.
#include "Launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t slipway_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void slipway_log_open(struct step_log *log, int folder, int64_t bytes_max) {
    log->folder = folder;
    log->bytes_max = bytes_max;
    log->bytes = 0;
    log->second = -1;
    log->descriptor = openat(folder, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void write_all(int descriptor, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return; // A full disk must not stop the step; its log ends here.
        }
        bytes += written;
        count -= (size_t)written;
    }
}

/// Civil date of `second`, as text; Hinnant's algorithm, since gmtime_r may take a lock.
static void format_second(int64_t second, char *out) {
    int64_t days = second / 86400, rest = second % 86400;
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    int64_t parts[6] = {year, month, day, rest / 3600, rest / 60 % 60, rest % 60};
    static const char separators[6] = {'-', '-', 'T', ':', ':', '.'};
    size_t at = 0;
    for (int part = 0; part < 6; part++) {
        if (part == 0) {
            out[at++] = (char)('0' + parts[0] / 1000 % 10);
            out[at++] = (char)('0' + parts[0] / 100 % 10);
        }
        out[at++] = (char)('0' + parts[part] / 10 % 10);
        out[at++] = (char)('0' + parts[part] % 10);
        out[at++] = separators[part];
    }
    out[at] = 0;
}

static void rotate(struct step_log *log) {
    close(log->descriptor);
    renameat(log->folder, "log", log->folder, "log.1");
    log->descriptor = openat(log->folder, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    log->bytes = 0;
}

static void write_line(struct step_log *log, const char *name, char tag, const char *text, size_t count) {
    if (log->descriptor < 0) {
        return;
    }
    static char out[64 + 16384 + 2];
    int64_t now = slipway_now();
    if (now / 1000000000 != log->second) {
        log->second = now / 1000000000;
        format_second(log->second, log->second_text);
    }
    size_t at = strlen(log->second_text);
    memcpy(out, log->second_text, at);
    int64_t fraction = now % 1000000000;
    for (int digit = 8; digit >= 0; digit--) {
        out[at + (size_t)digit] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    at += 9;
    out[at++] = 'Z';
    out[at++] = ' ';
    memcpy(out + at, name, 6);
    at += 6;
    out[at++] = ' ';
    out[at++] = tag;
    out[at++] = ' ';
    memcpy(out + at, text, count);
    at += count;
    out[at++] = '\n';
    if (log->bytes > 0 && log->bytes + (int64_t)at > log->bytes_max) {
        rotate(log);
    }
    write_all(log->descriptor, out, at);
    log->bytes += (int64_t)at;
}

static void take(struct step_stream *stream, struct step_log *log, const char *bytes, size_t count) {
    while (count > 0) {
        size_t room = sizeof stream->line - stream->pending;
        size_t part = count < room ? count : room;
        const char *end = memchr(bytes, '\n', part);
        if (end) {
            part = (size_t)(end - bytes);
        }
        memcpy(stream->line + stream->pending, bytes, part);
        stream->pending += part;
        bytes += part;
        count -= part;
        if (end) {
            bytes++;
            count--;
            write_line(log, stream->name, 'F', stream->line, stream->pending);
            stream->pending = 0;
        } else if (stream->pending == sizeof stream->line) {
            slipway_stream_flush(stream, log);
        }
    }
}

void slipway_stream_flush(struct step_stream *stream, struct step_log *log) {
    if (stream->pending > 0) {
        write_line(log, stream->name, 'P', stream->line, stream->pending);
        stream->pending = 0;
    }
}

bool slipway_stream_pump(struct step_stream *stream, struct step_log *log) {
    static char buffer[65536];
    // A few reads at most, so that one loud stream starves neither the other nor the signals.
    for (int turn = 0; turn < 4; turn++) {
        ssize_t count = read(stream->pipe, buffer, sizeof buffer);
        if (count < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (count == 0) {
            return false;
        }
        if (stream->copy >= 0 && stream->copy_left > 0) {
            size_t kept = (int64_t)count < stream->copy_left ? (size_t)count : (size_t)stream->copy_left;
            write_all(stream->copy, buffer, kept);
            stream->copy_left -= (int64_t)kept;
        }
        take(stream, log, buffer, (size_t)count);
    }
    return true;
}
