#include "COnnxRuntime.h"

// The interface version asked for. Release 1.17 is the oldest that holds every slot used here with today's meaning.
enum { interface_version = 17, slot_count = 261 };

typedef void function(void);
struct slipway_ort_api {
    function *slots[slot_count];
};

struct api_base {
    const slipway_ort_api *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

// Calls slot `number`, whose function has the given parameter types and returns `result`.
#define CALL(result, number, parameters, ...) (((result(*) parameters)api->slots[number])(__VA_ARGS__))

typedef slipway_ort_status *status;
typedef const slipway_ort_api *table;

const slipway_ort_api *slipway_ort_api_open(void *get_api_base, const char **version) {
    const struct api_base *base = ((const struct api_base *(*)(void))get_api_base)();
    if (base == NULL) return NULL;
    *version = base->get_version();
    return base->get_api(interface_version);
}

int slipway_ort_status_code(table api, const slipway_ort_status *value) {
    return CALL(int, 1, (const slipway_ort_status *), value);
}

const char *slipway_ort_status_message(table api, const slipway_ort_status *value) {
    return CALL(const char *, 2, (const slipway_ort_status *), value);
}

void slipway_ort_status_release(table api, slipway_ort_status *value) { CALL(void, 93, (slipway_ort_status *), value); }

status slipway_ort_env_create(table api, const char *name, slipway_ort_env **out) {
    const int severity_error = 3;
    return CALL(status, 3, (int, const char *, slipway_ort_env **), severity_error, name, out);
}

status slipway_ort_memory_create(table api, slipway_ort_memory **out) {
    const int arena_allocator = 1, default_memory = 0;
    return CALL(status, 69, (int, int, slipway_ort_memory **), arena_allocator, default_memory, out);
}

status slipway_ort_allocator_default(table api, slipway_ort_allocator **out) {
    return CALL(status, 78, (slipway_ort_allocator **), out);
}

status slipway_ort_options_create(table api, slipway_ort_options **out) {
    return CALL(status, 10, (slipway_ort_options **), out);
}

status slipway_ort_options_set_threads(table api, slipway_ort_options *options, int intra_op, int inter_op) {
    status failure = CALL(status, 24, (slipway_ort_options *, int), options, intra_op);
    return failure ? failure : CALL(status, 25, (slipway_ort_options *, int), options, inter_op);
}

status slipway_ort_options_add(table api, slipway_ort_options *options, const char *key, const char *value) {
    return CALL(status, 130, (slipway_ort_options *, const char *, const char *), options, key, value);
}

void slipway_ort_options_release(table api, slipway_ort_options *options) {
    CALL(void, 100, (slipway_ort_options *), options);
}

status slipway_ort_session_create(
    table api, const slipway_ort_env *env, const char *path, const slipway_ort_options *options, slipway_ort_session **out) {
    return CALL(
        status, 7, (const slipway_ort_env *, const char *, const slipway_ort_options *, slipway_ort_session **), env, path,
        options, out);
}

status slipway_ort_session_create_from_bytes(
    table api, const slipway_ort_env *env, const void *bytes, size_t length, const slipway_ort_options *options,
    slipway_ort_session **out) {
    return CALL(
        status, 8, (const slipway_ort_env *, const void *, size_t, const slipway_ort_options *, slipway_ort_session **), env,
        bytes, length, options, out);
}

void slipway_ort_session_release(table api, slipway_ort_session *session) {
    CALL(void, 95, (slipway_ort_session *), session);
}

status slipway_ort_port_count(table api, const slipway_ort_session *session, int output, size_t *out) {
    return CALL(status, output ? 31 : 30, (const slipway_ort_session *, size_t *), session, out);
}

status slipway_ort_port_name(
    table api, const slipway_ort_session *session, int output, size_t index, slipway_ort_allocator *allocator, char **out) {
    return CALL(
        status, output ? 37 : 36, (const slipway_ort_session *, size_t, slipway_ort_allocator *, char **), session, index,
        allocator, out);
}

status slipway_ort_port_type(
    table api, const slipway_ort_session *session, int output, size_t index, slipway_ort_type **out) {
    return CALL(
        status, output ? 34 : 33, (const slipway_ort_session *, size_t, slipway_ort_type **), session, index, out);
}

status slipway_ort_free(table api, slipway_ort_allocator *allocator, void *memory) {
    return CALL(status, 76, (slipway_ort_allocator *, void *), allocator, memory);
}

status slipway_ort_type_shape(table api, const slipway_ort_type *type, const slipway_ort_shape **out) {
    return CALL(status, 55, (const slipway_ort_type *, const slipway_ort_shape **), type, out);
}

void slipway_ort_type_release(table api, slipway_ort_type *type) { CALL(void, 98, (slipway_ort_type *), type); }

status slipway_ort_shape_element_type(table api, const slipway_ort_shape *shape, int *out) {
    return CALL(status, 60, (const slipway_ort_shape *, int *), shape, out);
}

status slipway_ort_shape_rank(table api, const slipway_ort_shape *shape, size_t *out) {
    return CALL(status, 61, (const slipway_ort_shape *, size_t *), shape, out);
}

status slipway_ort_shape_dimensions(table api, const slipway_ort_shape *shape, int64_t *out, size_t rank) {
    return CALL(status, 62, (const slipway_ort_shape *, int64_t *, size_t), shape, out, rank);
}

void slipway_ort_shape_release(table api, slipway_ort_shape *shape) { CALL(void, 99, (slipway_ort_shape *), shape); }

status slipway_ort_tensor_over(
    table api, const slipway_ort_memory *memory, void *bytes, size_t length, const int64_t *dimensions, size_t rank,
    int element_type, slipway_ort_value **out) {
    return CALL(
        status, 49, (const slipway_ort_memory *, void *, size_t, const int64_t *, size_t, int, slipway_ort_value **), memory,
        bytes, length, dimensions, rank, element_type, out);
}

status slipway_ort_tensor_create(
    table api, slipway_ort_allocator *allocator, const int64_t *dimensions, size_t rank, int element_type,
    slipway_ort_value **out) {
    return CALL(
        status, 48, (slipway_ort_allocator *, const int64_t *, size_t, int, slipway_ort_value **), allocator, dimensions,
        rank, element_type, out);
}

status slipway_ort_string_buffer(table api, slipway_ort_value *value, size_t index, size_t length, char **out) {
    return CALL(status, 252, (slipway_ort_value *, size_t, size_t, char **), value, index, length, out);
}

status slipway_ort_value_shape(table api, const slipway_ort_value *value, slipway_ort_shape **out) {
    return CALL(status, 65, (const slipway_ort_value *, slipway_ort_shape **), value, out);
}

status slipway_ort_value_bytes(table api, slipway_ort_value *value, void **out) {
    return CALL(status, 51, (slipway_ort_value *, void **), value, out);
}

status slipway_ort_strings_length(table api, const slipway_ort_value *value, size_t *out) {
    return CALL(status, 53, (const slipway_ort_value *, size_t *), value, out);
}

status slipway_ort_strings_copy(
    table api, const slipway_ort_value *value, char *bytes, size_t length, size_t *offsets, size_t count) {
    return CALL(
        status, 54, (const slipway_ort_value *, void *, size_t, size_t *, size_t), value, bytes, length, offsets, count);
}

void slipway_ort_value_release(table api, slipway_ort_value *value) { CALL(void, 96, (slipway_ort_value *), value); }

status slipway_ort_run(
    table api, slipway_ort_session *session, const char *const *input_names, const slipway_ort_value *const *inputs,
    size_t input_count, const char *const *output_names, size_t output_count, slipway_ort_value **outputs) {
    return CALL(
        status, 9,
        (slipway_ort_session *, const void *, const char *const *, const slipway_ort_value *const *, size_t,
         const char *const *, size_t, slipway_ort_value **),
        session, NULL, input_names, inputs, input_count, output_names, output_count, outputs);
}
