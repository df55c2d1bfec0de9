#include "COnnxRuntime.h"

#include <dlfcn.h>
#include <string.h>

// Slots of the function table that are called here, by their position in it.
enum {
    slot_create_status = 0,
    slot_get_error_message = 2,
    slot_create_env = 3,
    slot_create_session = 7,
    slot_run = 9,
    slot_create_session_options = 10,
    slot_set_graph_optimization_level = 23,
    slot_set_intra_op_threads = 24,
    slot_set_inter_op_threads = 25,
    slot_input_count = 30,
    slot_output_count = 31,
    slot_input_type_info = 33,
    slot_output_type_info = 34,
    slot_input_name = 36,
    slot_output_name = 37,
    slot_create_tensor = 48,
    slot_create_tensor_with_data = 49,
    slot_tensor_mutable_data = 51,
    slot_fill_string_tensor = 52,
    slot_string_tensor_length = 53,
    slot_string_tensor_content = 54,
    slot_cast_type_to_tensor_info = 55,
    slot_tensor_element_type = 60,
    slot_dimensions_count = 61,
    slot_dimensions = 62,
    slot_shape_element_count = 64,
    slot_tensor_type_and_shape = 65,
    slot_create_cpu_memory_info = 69,
    slot_allocator_free = 76,
    slot_default_allocator = 78,
    slot_release_memory_info = 94,
    slot_release_status = 93,
    slot_release_session = 95,
    slot_release_value = 96,
    slot_release_type_info = 98,
    slot_release_tensor_info = 99,
    slot_release_session_options = 100,
    slot_add_session_config = 130,
};

struct OrtApi {
    void *slots[131];
};

struct base {
    const OrtApi *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

// The version of the table asked for: every slot above existed by then.
static const uint32_t api_version = 17;

#define CALL(slot, ...) ((OrtStatus * (*)(__VA_ARGS__)) api->slots[slot])

const OrtApi *slipway_ort_open(const char *path, const char **version, const char **error) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        *error = dlerror();
        return 0;
    }
    const struct base *(*get_base)(void) = (const struct base *(*)(void))dlsym(library, "OrtGetApiBase");
    if (!get_base) {
        *error = "the library does not export OrtGetApiBase";
        return 0;
    }
    const struct base *base = get_base();
    *version = base->get_version();
    const OrtApi *api = base->get_api(api_version);
    if (!api) *error = "the library is older than ONNX Runtime 1.17";
    return api;
}

const char *slipway_ort_message(const OrtApi *api, const OrtStatus *status) {
    return ((const char *(*)(const OrtStatus *))api->slots[slot_get_error_message])(status);
}

void slipway_ort_release_status(const OrtApi *api, OrtStatus *status) {
    ((void (*)(OrtStatus *))api->slots[slot_release_status])(status);
}

OrtStatus *slipway_ort_create_env(const OrtApi *api, OrtEnv **env) {
    // Level 3: errors only; what goes wrong comes back as a status.
    return CALL(slot_create_env, int, const char *, OrtEnv **)(3, "slipway", env);
}

OrtStatus *slipway_ort_create_session(
    const OrtApi *api, OrtEnv *env, const char *path, int intra_op_threads, OrtSession **session) {
    OrtSessionOptions *options = 0;
    OrtStatus *status = CALL(slot_create_session_options, OrtSessionOptions **)(&options);
    if (status) return status;
    status = CALL(slot_set_intra_op_threads, OrtSessionOptions *, int)(options, intra_op_threads);
    if (!status) status = CALL(slot_set_inter_op_threads, OrtSessionOptions *, int)(options, 1);
    if (!status) status = CALL(slot_set_graph_optimization_level, OrtSessionOptions *, int)(options, 99);
    if (!status)
        status = CALL(slot_add_session_config, OrtSessionOptions *, const char *, const char *)(
            options, "session.intra_op.allow_spinning", "0");
    if (!status)
        status = CALL(slot_create_session, OrtEnv *, const char *, const OrtSessionOptions *, OrtSession **)(
            env, path, options, session);
    ((void (*)(OrtSessionOptions *))api->slots[slot_release_session_options])(options);
    return status;
}

void slipway_ort_release_session(const OrtApi *api, OrtSession *session) {
    ((void (*)(OrtSession *))api->slots[slot_release_session])(session);
}

OrtStatus *slipway_ort_counts(const OrtApi *api, OrtSession *session, size_t *inputs, size_t *outputs) {
    OrtStatus *status = CALL(slot_input_count, const OrtSession *, size_t *)(session, inputs);
    return status ? status : CALL(slot_output_count, const OrtSession *, size_t *)(session, outputs);
}

static OrtStatus *default_allocator(const OrtApi *api, OrtAllocator **allocator) {
    return CALL(slot_default_allocator, OrtAllocator **)(allocator);
}

static OrtStatus *read_tensor_info(
    const OrtApi *api, const OrtTensorTypeAndShapeInfo *info, int *element_type, int64_t *dims, size_t dims_max,
    size_t *dims_count) {
    OrtStatus *status = CALL(slot_tensor_element_type, const OrtTensorTypeAndShapeInfo *, int *)(info, element_type);
    if (!status) status = CALL(slot_dimensions_count, const OrtTensorTypeAndShapeInfo *, size_t *)(info, dims_count);
    if (status) return status;
    if (*dims_count > dims_max) return CALL(slot_create_status, int, const char *)(2, "too many dimensions");
    return CALL(slot_dimensions, const OrtTensorTypeAndShapeInfo *, int64_t *, size_t)(info, dims, *dims_count);
}

OrtStatus *slipway_ort_describe(
    const OrtApi *api, OrtSession *session, int is_output, size_t index, char **name, int *element_type, int64_t *dims,
    size_t dims_max, size_t *dims_count) {
    OrtAllocator *allocator = 0;
    OrtStatus *status = default_allocator(api, &allocator);
    if (status) return status;
    status = CALL(is_output ? slot_output_name : slot_input_name, const OrtSession *, size_t, OrtAllocator *, char **)(
        session, index, allocator, name);
    if (status) return status;
    OrtTypeInfo *type = 0;
    status = CALL(is_output ? slot_output_type_info : slot_input_type_info, const OrtSession *, size_t, OrtTypeInfo **)(
        session, index, &type);
    if (!status) {
        const OrtTensorTypeAndShapeInfo *info = 0;
        status = CALL(slot_cast_type_to_tensor_info, const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **)(type, &info);
        *element_type = 0;
        *dims_count = 0;
        if (!status && info) status = read_tensor_info(api, info, element_type, dims, dims_max, dims_count);
        ((void (*)(OrtTypeInfo *))api->slots[slot_release_type_info])(type);
    }
    if (status) {
        slipway_ort_free(api, *name);
        *name = 0;
    }
    return status;
}

void slipway_ort_free(const OrtApi *api, void *text) {
    OrtAllocator *allocator = 0;
    OrtStatus *status = default_allocator(api, &allocator);
    if (!status) status = CALL(slot_allocator_free, OrtAllocator *, void *)(allocator, text);
    if (status) slipway_ort_release_status(api, status);
}

OrtStatus *slipway_ort_create_tensor(
    const OrtApi *api, void *bytes, size_t byte_count, const int64_t *dims, size_t dims_count, int element_type,
    OrtValue **value) {
    OrtMemoryInfo *memory = 0;
    // Arena allocator 1, default memory 0.
    OrtStatus *status = CALL(slot_create_cpu_memory_info, int, int, OrtMemoryInfo **)(1, 0, &memory);
    if (status) return status;
    status = CALL(
        slot_create_tensor_with_data, const OrtMemoryInfo *, void *, size_t, const int64_t *, size_t, int, OrtValue **)(
        memory, bytes, byte_count, dims, dims_count, element_type, value);
    ((void (*)(OrtMemoryInfo *))api->slots[slot_release_memory_info])(memory);
    return status;
}

OrtStatus *slipway_ort_create_strings(
    const OrtApi *api, const char *const *texts, size_t text_count, const int64_t *dims, size_t dims_count,
    OrtValue **value) {
    OrtAllocator *allocator = 0;
    OrtStatus *status = default_allocator(api, &allocator);
    // Element type 8 is string.
    if (!status)
        status = CALL(slot_create_tensor, OrtAllocator *, const int64_t *, size_t, int, OrtValue **)(
            allocator, dims, dims_count, 8, value);
    if (status) return status;
    status = CALL(slot_fill_string_tensor, OrtValue *, const char *const *, size_t)(*value, texts, text_count);
    if (status) {
        slipway_ort_release_value(api, *value);
        *value = 0;
    }
    return status;
}

void slipway_ort_release_value(const OrtApi *api, OrtValue *value) {
    ((void (*)(OrtValue *))api->slots[slot_release_value])(value);
}

OrtStatus *slipway_ort_run(
    const OrtApi *api, OrtSession *session, const char *const *input_names, const OrtValue *const *inputs,
    size_t input_count, const char *const *output_names, size_t output_count, OrtValue **outputs) {
    memset(outputs, 0, output_count * sizeof *outputs);
    return CALL(
        slot_run, OrtSession *, const void *, const char *const *, const OrtValue *const *, size_t, const char *const *,
        size_t, OrtValue **)(session, 0, input_names, inputs, input_count, output_names, output_count, outputs);
}

OrtStatus *slipway_ort_tensor_info(
    const OrtApi *api, const OrtValue *value, int *element_type, int64_t *dims, size_t dims_max, size_t *dims_count,
    size_t *element_count) {
    OrtTensorTypeAndShapeInfo *info = 0;
    OrtStatus *status =
        CALL(slot_tensor_type_and_shape, const OrtValue *, OrtTensorTypeAndShapeInfo **)(value, &info);
    if (status) return status;
    status = read_tensor_info(api, info, element_type, dims, dims_max, dims_count);
    if (!status)
        status = CALL(slot_shape_element_count, const OrtTensorTypeAndShapeInfo *, size_t *)(info, element_count);
    ((void (*)(OrtTensorTypeAndShapeInfo *))api->slots[slot_release_tensor_info])(info);
    return status;
}

OrtStatus *slipway_ort_tensor_bytes(const OrtApi *api, OrtValue *value, void **bytes) {
    return CALL(slot_tensor_mutable_data, OrtValue *, void **)(value, bytes);
}

OrtStatus *slipway_ort_strings_length(const OrtApi *api, const OrtValue *value, size_t *byte_count) {
    return CALL(slot_string_tensor_length, const OrtValue *, size_t *)(value, byte_count);
}

OrtStatus *slipway_ort_strings_content(
    const OrtApi *api, const OrtValue *value, char *bytes, size_t byte_count, size_t *offsets, size_t offset_count) {
    return CALL(slot_string_tensor_content, const OrtValue *, void *, size_t, size_t *, size_t)(
        value, bytes, byte_count, offsets, offset_count);
}
