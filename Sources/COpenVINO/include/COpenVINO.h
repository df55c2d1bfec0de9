// OpenVINO's C interface, declared here so that the project builds without its headers. Only what is called is declared;
// names, parameters and structures are those of OpenVINO's `openvino/c/*.h`. The library is opened by the caller with
// dlopen; `slipway_ov_load` finds its functions.

#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct slipway_ov slipway_ov;
typedef struct ov_core ov_core;
typedef struct ov_model ov_model;
typedef struct ov_compiled_model ov_compiled_model;
typedef struct ov_infer_request ov_infer_request;
typedef struct ov_tensor ov_tensor;
typedef struct ov_output_const_port ov_output_const_port;

// Finds every function in an opened library. NULL, and the name of the first that is missing, when one is not there.
// The table lives as long as the process.
const slipway_ov *slipway_ov_load(void *library, const char **missing);

// All functions that return int return 0 for success. What went wrong is then in `slipway_ov_error`, whose text the
// caller releases with `slipway_ov_free`; the library keeps one text for all threads.
const char *slipway_ov_error(const slipway_ov *api);
// The name of a status; lives as long as the library.
const char *slipway_ov_status_name(const slipway_ov *api, int status);
// The C interface itself refused a parameter; then there is no text of what went wrong.
enum { slipway_ov_invalid_parameter = -14 };
void slipway_ov_free(const slipway_ov *api, const char *text);

// The build, such as 2026.4.1-22982. Asked for once; the text stays for the life of the process.
const char *slipway_ov_version(const slipway_ov *api);

int slipway_ov_core_create(const slipway_ov *api, ov_core **out);
// Files are read into memory and not mapped, so that replacing a model's file never changes or breaks a loaded model.
int slipway_ov_core_configure(const slipway_ov *api, ov_core *core);
int slipway_ov_model_read(const slipway_ov *api, const ov_core *core, const char *path, ov_model **out);
void slipway_ov_model_free(const slipway_ov *api, ov_model *model);

int slipway_ov_port_count(const slipway_ov *api, const ov_model *model, int output, size_t *out);
// The name, released with `slipway_ov_free`, or NULL for a port without one; the element type; the rank, or -1 when it
// is open. The first `capacity` dimensions are written, -1 for one of any size.
int slipway_ov_port(
    const slipway_ov *api, const ov_model *model, int output, size_t index, char **name, int *type, int64_t *rank,
    int64_t *dimensions, size_t capacity);

// Compiles for the CPU with full precision: `streams` runs at once on `threads` threads together.
int slipway_ov_compile(
    const slipway_ov *api, const ov_core *core, const ov_model *model, const char *streams, const char *threads,
    ov_compiled_model **out);
void slipway_ov_compiled_free(const slipway_ov *api, ov_compiled_model *model);

int slipway_ov_request_create(const slipway_ov *api, const ov_compiled_model *model, ov_infer_request **out);
int slipway_ov_request_set(const slipway_ov *api, ov_infer_request *request, size_t index, const ov_tensor *tensor);
int slipway_ov_request_run(const slipway_ov *api, ov_infer_request *request);
int slipway_ov_request_get(const slipway_ov *api, const ov_infer_request *request, size_t index, ov_tensor **out);
void slipway_ov_request_free(const slipway_ov *api, ov_infer_request *request);

// A tensor over `memory`, which must stay where it is as long as the tensor is used.
int slipway_ov_tensor_over(
    const slipway_ov *api, int type, int64_t rank, const int64_t *dimensions, void *memory, ov_tensor **out);
// Element type, rank, first `capacity` dimensions, and the bytes.
int slipway_ov_tensor_read(
    const slipway_ov *api, const ov_tensor *tensor, int *type, int64_t *rank, int64_t *dimensions, size_t capacity,
    void **bytes, size_t *count);
// Bytes of one element of `type`, as the library computes them; 0 when it cannot say.
size_t slipway_ov_element_width(const slipway_ov *api, int type);
void slipway_ov_tensor_free(const slipway_ov *api, ov_tensor *tensor);
