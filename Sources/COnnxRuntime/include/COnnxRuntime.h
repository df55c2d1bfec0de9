// ONNX Runtime's C interface, as far as it is used here.
//
// The library gives out one table of function pointers, which only ever grows at its end: a function keeps its slot in
// every later release. Each function below calls one slot; the slot's number stands in COnnxRuntime.c. Nothing of the
// library is linked: `slipway_ort_api` comes from a library that was opened at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct slipway_ort_api slipway_ort_api;
typedef struct slipway_ort_status slipway_ort_status;
typedef struct slipway_ort_env slipway_ort_env;
typedef struct slipway_ort_options slipway_ort_options;
typedef struct slipway_ort_session slipway_ort_session;
typedef struct slipway_ort_value slipway_ort_value;
typedef struct slipway_ort_memory slipway_ort_memory;
typedef struct slipway_ort_allocator slipway_ort_allocator;
typedef struct slipway_ort_type slipway_ort_type;
typedef struct slipway_ort_shape slipway_ort_shape;

// The function table of an opened library, from the address of its `OrtGetApiBase`; NULL when the library is older than
// release 1.17. `*version` is the library's own text, such as "1.31.1", valid as long as the library is open.
const slipway_ort_api *slipway_ort_api_open(void *get_api_base, const char **version);

// Every function that returns a status returns NULL when it succeeded; the caller releases the status otherwise.
int slipway_ort_status_code(const slipway_ort_api *api, const slipway_ort_status *status);
const char *slipway_ort_status_message(const slipway_ort_api *api, const slipway_ort_status *status);
void slipway_ort_status_release(const slipway_ort_api *api, slipway_ort_status *status);

slipway_ort_status *slipway_ort_env_create(const slipway_ort_api *api, const char *name, slipway_ort_env **out);
slipway_ort_status *slipway_ort_memory_create(const slipway_ort_api *api, slipway_ort_memory **out);
slipway_ort_status *slipway_ort_allocator_default(const slipway_ort_api *api, slipway_ort_allocator **out);

slipway_ort_status *slipway_ort_options_create(const slipway_ort_api *api, slipway_ort_options **out);
slipway_ort_status *slipway_ort_options_set_threads(
    const slipway_ort_api *api, slipway_ort_options *options, int intra_op, int inter_op);
slipway_ort_status *slipway_ort_options_add(
    const slipway_ort_api *api, slipway_ort_options *options, const char *key, const char *value);
void slipway_ort_options_release(const slipway_ort_api *api, slipway_ort_options *options);

slipway_ort_status *slipway_ort_session_create(
    const slipway_ort_api *api, const slipway_ort_env *env, const char *path, const slipway_ort_options *options,
    slipway_ort_session **out);
slipway_ort_status *slipway_ort_session_create_from_bytes(
    const slipway_ort_api *api, const slipway_ort_env *env, const void *bytes, size_t length,
    const slipway_ort_options *options, slipway_ort_session **out);
void slipway_ort_session_release(const slipway_ort_api *api, slipway_ort_session *session);

// The ports of a session: inputs when `output` is 0, outputs when it is 1. A name is freed with `slipway_ort_free`.
slipway_ort_status *slipway_ort_port_count(
    const slipway_ort_api *api, const slipway_ort_session *session, int output, size_t *out);
slipway_ort_status *slipway_ort_port_name(
    const slipway_ort_api *api, const slipway_ort_session *session, int output, size_t index,
    slipway_ort_allocator *allocator, char **out);
slipway_ort_status *slipway_ort_port_type(
    const slipway_ort_api *api, const slipway_ort_session *session, int output, size_t index, slipway_ort_type **out);
slipway_ort_status *slipway_ort_free(const slipway_ort_api *api, slipway_ort_allocator *allocator, void *memory);
// `*out` is NULL for a type that is no tensor; it belongs to `type`.
slipway_ort_status *slipway_ort_type_shape(
    const slipway_ort_api *api, const slipway_ort_type *type, const slipway_ort_shape **out);
void slipway_ort_type_release(const slipway_ort_api *api, slipway_ort_type *type);

slipway_ort_status *slipway_ort_shape_element_type(const slipway_ort_api *api, const slipway_ort_shape *shape, int *out);
slipway_ort_status *slipway_ort_shape_rank(const slipway_ort_api *api, const slipway_ort_shape *shape, size_t *out);
slipway_ort_status *slipway_ort_shape_dimensions(
    const slipway_ort_api *api, const slipway_ort_shape *shape, int64_t *out, size_t rank);
void slipway_ort_shape_release(const slipway_ort_api *api, slipway_ort_shape *shape);

// A tensor over bytes of the caller, which must outlive it.
slipway_ort_status *slipway_ort_tensor_over(
    const slipway_ort_api *api, const slipway_ort_memory *memory, void *bytes, size_t length, const int64_t *dimensions,
    size_t rank, int element_type, slipway_ort_value **out);
// A tensor whose memory is the library's; strings are filled with `slipway_ort_string_buffer`.
slipway_ort_status *slipway_ort_tensor_create(
    const slipway_ort_api *api, slipway_ort_allocator *allocator, const int64_t *dimensions, size_t rank, int element_type,
    slipway_ort_value **out);
slipway_ort_status *slipway_ort_string_buffer(
    const slipway_ort_api *api, slipway_ort_value *value, size_t index, size_t length, char **out);
slipway_ort_status *slipway_ort_value_shape(
    const slipway_ort_api *api, const slipway_ort_value *value, slipway_ort_shape **out);
slipway_ort_status *slipway_ort_value_bytes(const slipway_ort_api *api, slipway_ort_value *value, void **out);
slipway_ort_status *slipway_ort_strings_length(const slipway_ort_api *api, const slipway_ort_value *value, size_t *out);
slipway_ort_status *slipway_ort_strings_copy(
    const slipway_ort_api *api, const slipway_ort_value *value, char *bytes, size_t length, size_t *offsets, size_t count);
void slipway_ort_value_release(const slipway_ort_api *api, slipway_ort_value *value);

slipway_ort_status *slipway_ort_run(
    const slipway_ort_api *api, slipway_ort_session *session, const char *const *input_names,
    const slipway_ort_value *const *inputs, size_t input_count, const char *const *output_names, size_t output_count,
    slipway_ort_value **outputs);
