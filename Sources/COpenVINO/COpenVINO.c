#include "COpenVINO.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

struct shape {
    int64_t rank;
    int64_t *dimensions;
};

struct dimension {
    int64_t min;
    int64_t max;
};

struct partial_shape {
    struct dimension rank;
    struct dimension *dimensions;
};

struct version {
    const char *build;
    const char *description;
};

// Every function that is used: result, name, parameters. The compile function is variadic: pairs of key and value.
#define FUNCTIONS(F)                                                                                                   \
    F(const char *, ov_get_last_err_msg, (void))                                                                       \
    F(const char *, ov_get_error_info, (int))                                                                          \
    F(void, ov_free, (const char *))                                                                                   \
    F(int, ov_get_openvino_version, (struct version *))                                                                \
    F(int, ov_core_create, (ov_core **))                                                                               \
    F(int, ov_core_set_property, (const ov_core *, const char *, ...))                                                 \
    F(int, ov_core_read_model, (const ov_core *, const char *, const char *, ov_model **))                             \
    F(int, ov_core_compile_model,                                                                                      \
      (const ov_core *, const ov_model *, const char *, size_t, ov_compiled_model **, ...))                            \
    F(void, ov_model_free, (ov_model *))                                                                               \
    F(int, ov_model_inputs_size, (const ov_model *, size_t *))                                                         \
    F(int, ov_model_outputs_size, (const ov_model *, size_t *))                                                        \
    F(int, ov_model_const_input_by_index, (const ov_model *, size_t, ov_output_const_port **))                         \
    F(int, ov_model_const_output_by_index, (const ov_model *, size_t, ov_output_const_port **))                        \
    F(int, ov_port_get_any_name, (const ov_output_const_port *, char **))                                              \
    F(int, ov_port_get_partial_shape, (const ov_output_const_port *, struct partial_shape *))                          \
    F(int, ov_port_get_element_type, (const ov_output_const_port *, int *))                                            \
    F(void, ov_output_const_port_free, (ov_output_const_port *))                                                       \
    F(void, ov_partial_shape_free, (struct partial_shape *))                                                           \
    F(int, ov_compiled_model_create_infer_request, (const ov_compiled_model *, ov_infer_request **))                   \
    F(void, ov_compiled_model_free, (ov_compiled_model *))                                                             \
    F(int, ov_infer_request_set_input_tensor_by_index, (ov_infer_request *, size_t, const ov_tensor *))                \
    F(int, ov_infer_request_infer, (ov_infer_request *))                                                               \
    F(int, ov_infer_request_get_output_tensor_by_index, (const ov_infer_request *, size_t, ov_tensor **))              \
    F(void, ov_infer_request_free, (ov_infer_request *))                                                               \
    F(int, ov_shape_create, (int64_t, const int64_t *, struct shape *))                                                \
    F(int, ov_shape_free, (struct shape *))                                                                            \
    F(int, ov_tensor_create, (int, struct shape, ov_tensor **))                                                        \
    F(int, ov_tensor_create_from_host_ptr, (int, struct shape, void *, ov_tensor **))                                  \
    F(int, ov_tensor_get_shape, (const ov_tensor *, struct shape *))                                                   \
    F(int, ov_tensor_get_element_type, (const ov_tensor *, int *))                                                     \
    F(int, ov_tensor_get_size, (const ov_tensor *, size_t *))                                                          \
    F(int, ov_tensor_get_byte_size, (const ov_tensor *, size_t *))                                                     \
    F(int, ov_tensor_data, (const ov_tensor *, void **))                                                               \
    F(void, ov_tensor_free, (ov_tensor *))

#define MEMBER(result, name, parameters) result(*name) parameters;
struct slipway_ov {
    FUNCTIONS(MEMBER)
};

const slipway_ov *slipway_ov_load(void *library, const char **missing) {
    slipway_ov *api = calloc(1, sizeof(slipway_ov));
    *missing = "memory";
    if (api == NULL) return NULL;
#define FIND(result, name, parameters)                                                                                 \
    api->name = (result(*) parameters)dlsym(library, #name);                                                           \
    if (api->name == NULL) {                                                                                           \
        *missing = #name;                                                                                              \
        free(api);                                                                                                     \
        return NULL;                                                                                                   \
    }
    FUNCTIONS(FIND)
    *missing = NULL;
    return api;
}

const char *slipway_ov_error(const slipway_ov *api) { return api->ov_get_last_err_msg(); }

const char *slipway_ov_status_name(const slipway_ov *api, int status) { return api->ov_get_error_info(status); }

void slipway_ov_free(const slipway_ov *api, const char *text) {
    if (text != NULL) api->ov_free(text);
}

const char *slipway_ov_version(const slipway_ov *api) {
    struct version version = {NULL, NULL};
    return api->ov_get_openvino_version(&version) == 0 ? version.build : NULL;
}

int slipway_ov_core_create(const slipway_ov *api, ov_core **out) { return api->ov_core_create(out); }

int slipway_ov_core_configure(const slipway_ov *api, ov_core *core) {
    return api->ov_core_set_property(core, "", "ENABLE_MMAP", "NO");
}

int slipway_ov_model_read(const slipway_ov *api, const ov_core *core, const char *path, ov_model **out) {
    return api->ov_core_read_model(core, path, NULL, out);
}

void slipway_ov_model_free(const slipway_ov *api, ov_model *model) { api->ov_model_free(model); }

int slipway_ov_port_count(const slipway_ov *api, const ov_model *model, int output, size_t *out) {
    return output ? api->ov_model_outputs_size(model, out) : api->ov_model_inputs_size(model, out);
}

int slipway_ov_port(
    const slipway_ov *api, const ov_model *model, int output, size_t index, char **name, int *type, int64_t *rank,
    int64_t *dimensions, size_t capacity) {
    ov_output_const_port *port = NULL;
    int status = output ? api->ov_model_const_output_by_index(model, index, &port)
                        : api->ov_model_const_input_by_index(model, index, &port);
    if (status != 0) return status;
    *name = NULL;
    if (api->ov_port_get_any_name(port, name) != 0) *name = NULL;
    status = api->ov_port_get_element_type(port, type);
    struct partial_shape shape = {{0, 0}, NULL};
    if (status == 0) status = api->ov_port_get_partial_shape(port, &shape);
    if (status == 0) {
        bool is_open = shape.rank.min != shape.rank.max;
        *rank = is_open ? -1 : shape.rank.max;
        for (int64_t each = 0; each < *rank && (size_t)each < capacity; each++) {
            struct dimension size = shape.dimensions[each];
            dimensions[each] = size.min == size.max ? size.max : -1;
        }
        api->ov_partial_shape_free(&shape);
    } else {
        slipway_ov_free(api, *name);
        *name = NULL;
    }
    api->ov_output_const_port_free(port);
    return status;
}

int slipway_ov_compile(
    const slipway_ov *api, const ov_core *core, const ov_model *model, const char *streams, const char *threads,
    ov_compiled_model **out) {
    // Full precision keeps answers equal to the trainer's on every processor; pinned threads would starve neighbours.
    const size_t argument_count = 8;
    return api->ov_core_compile_model(
        core, model, "CPU", argument_count, out, "NUM_STREAMS", streams, "INFERENCE_NUM_THREADS", threads,
        "INFERENCE_PRECISION_HINT", "f32", "ENABLE_CPU_PINNING", "NO");
}

void slipway_ov_compiled_free(const slipway_ov *api, ov_compiled_model *model) { api->ov_compiled_model_free(model); }

int slipway_ov_request_create(const slipway_ov *api, const ov_compiled_model *model, ov_infer_request **out) {
    return api->ov_compiled_model_create_infer_request(model, out);
}

int slipway_ov_request_set(const slipway_ov *api, ov_infer_request *request, size_t index, const ov_tensor *tensor) {
    return api->ov_infer_request_set_input_tensor_by_index(request, index, tensor);
}

int slipway_ov_request_run(const slipway_ov *api, ov_infer_request *request) {
    return api->ov_infer_request_infer(request);
}

int slipway_ov_request_get(const slipway_ov *api, const ov_infer_request *request, size_t index, ov_tensor **out) {
    return api->ov_infer_request_get_output_tensor_by_index(request, index, out);
}

void slipway_ov_request_free(const slipway_ov *api, ov_infer_request *request) { api->ov_infer_request_free(request); }

int slipway_ov_tensor_over(
    const slipway_ov *api, int type, int64_t rank, const int64_t *dimensions, void *memory, ov_tensor **out) {
    // The library copies the dimensions and makes no shape of rank 0 itself.
    struct shape shape = {rank, (int64_t *)dimensions};
    return api->ov_tensor_create_from_host_ptr(type, shape, memory, out);
}

int slipway_ov_tensor_read(
    const slipway_ov *api, const ov_tensor *tensor, int *type, int64_t *rank, int64_t *dimensions, size_t capacity,
    void **bytes, size_t *count) {
    struct shape shape = {0, NULL};
    int status = api->ov_tensor_get_shape(tensor, &shape);
    // The library makes no shape of rank 0: it calls that a wrong parameter.
    size_t elements = 0;
    if (status == slipway_ov_invalid_parameter && api->ov_tensor_get_size(tensor, &elements) == 0 && elements == 1) {
        shape = (struct shape){0, NULL};
        status = 0;
    }
    if (status != 0) return status;
    *rank = shape.rank;
    for (int64_t each = 0; each < shape.rank && (size_t)each < capacity; each++) dimensions[each] = shape.dimensions[each];
    if (shape.dimensions != NULL) api->ov_shape_free(&shape);
    status = api->ov_tensor_get_element_type(tensor, type);
    if (status == 0) status = api->ov_tensor_get_byte_size(tensor, count);
    *bytes = NULL;
    if (status == 0 && *count > 0) status = api->ov_tensor_data(tensor, bytes);
    return status;
}

size_t slipway_ov_element_width(const slipway_ov *api, int type) {
    const int64_t one = 1;
    struct shape shape = {0, NULL};
    size_t width = 0;
    if (api->ov_shape_create(1, &one, &shape) != 0) return 0;
    ov_tensor *tensor = NULL;
    if (api->ov_tensor_create(type, shape, &tensor) == 0) {
        if (api->ov_tensor_get_byte_size(tensor, &width) != 0) width = 0;
        api->ov_tensor_free(tensor);
    }
    api->ov_shape_free(&shape);
    return width;
}

void slipway_ov_tensor_free(const slipway_ov *api, ov_tensor *tensor) { api->ov_tensor_free(tensor); }
