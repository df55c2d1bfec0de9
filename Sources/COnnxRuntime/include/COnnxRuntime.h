// The part of ONNX Runtime's C interface that this project calls, declared here because no package that installs the
// library brings its header. The library exports one function, OrtGetApiBase; everything else is a table of functions
// whose slots never move (the table only grows). Each function below calls one slot.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct OrtApi OrtApi;
typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;

// Opens the library with dlopen and asks for the table. Returns null and sets `*error` (static or dlerror's text) when
// the file cannot be loaded or is too old.
const OrtApi *slipway_ort_open(const char *path, const char **version, const char **error);

// Errors: every function returns null for success. The message belongs to the status.
const char *slipway_ort_message(const OrtApi *api, const OrtStatus *status);
void slipway_ort_release_status(const OrtApi *api, OrtStatus *status);

OrtStatus *slipway_ort_create_env(const OrtApi *api, OrtEnv **env);

// One session: `intra_op_threads` threads for each run, no spinning between runs.
OrtStatus *slipway_ort_create_session(
    const OrtApi *api, OrtEnv *env, const char *path, int intra_op_threads, OrtSession **session);
void slipway_ort_release_session(const OrtApi *api, OrtSession *session);

OrtStatus *slipway_ort_counts(const OrtApi *api, OrtSession *session, size_t *inputs, size_t *outputs);

// The name, element type and dimensions of input or output `index`. `name` is freed with slipway_ort_free. Dimensions
// over `dims_max` are an error of the caller. An element type of 0 means that the value is no tensor.
OrtStatus *slipway_ort_describe(
    const OrtApi *api, OrtSession *session, int is_output, size_t index, char **name, int *element_type, int64_t *dims,
    size_t dims_max, size_t *dims_count);
void slipway_ort_free(const OrtApi *api, void *text);

// A tensor over the caller's bytes, which outlive it.
OrtStatus *slipway_ort_create_tensor(
    const OrtApi *api, void *bytes, size_t byte_count, const int64_t *dims, size_t dims_count, int element_type,
    OrtValue **value);
// A string tensor; `texts` are NUL-terminated copies.
OrtStatus *slipway_ort_create_strings(
    const OrtApi *api, const char *const *texts, size_t text_count, const int64_t *dims, size_t dims_count,
    OrtValue **value);
void slipway_ort_release_value(const OrtApi *api, OrtValue *value);

OrtStatus *slipway_ort_run(
    const OrtApi *api, OrtSession *session, const char *const *input_names, const OrtValue *const *inputs,
    size_t input_count, const char *const *output_names, size_t output_count, OrtValue **outputs);

// Type, dimensions and element count of a tensor.
OrtStatus *slipway_ort_tensor_info(
    const OrtApi *api, const OrtValue *value, int *element_type, int64_t *dims, size_t dims_max, size_t *dims_count,
    size_t *element_count);
OrtStatus *slipway_ort_tensor_bytes(const OrtApi *api, OrtValue *value, void **bytes);
OrtStatus *slipway_ort_strings_length(const OrtApi *api, const OrtValue *value, size_t *byte_count);
OrtStatus *slipway_ort_strings_content(
    const OrtApi *api, const OrtValue *value, char *bytes, size_t byte_count, size_t *offsets, size_t offset_count);
