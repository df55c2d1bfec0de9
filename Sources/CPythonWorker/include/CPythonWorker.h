// The program of a worker process, worker.py, held in the binary.
#pragma once
#include <stddef.h>
const char *slipway_python_worker(void);
size_t slipway_python_worker_length(void);
