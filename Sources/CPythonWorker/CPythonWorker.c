#include "CPythonWorker.h"

static const char text[] = {
#embed "worker.py"
};

const char *slipway_python_worker(void) { return text; }
size_t slipway_python_worker_length(void) { return sizeof text; }
