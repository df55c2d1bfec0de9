#include "CVersion.h"

// Written by scripts/build-info; a build without it says so.
#if __has_include("build-info.h")
#include "build-info.h"
#else
#define SLIPWAY_COMMIT "unknown"
#define SLIPWAY_BUILD_DATE "unknown"
#endif

const char *slipway_version(void) { return "0.1.0"; }
const char *slipway_commit(void) { return SLIPWAY_COMMIT; }
const char *slipway_build_date(void) { return SLIPWAY_BUILD_DATE; }
