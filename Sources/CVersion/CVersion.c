#include "CVersion.h"

#ifndef SLIPWAY_COMMIT
#define SLIPWAY_COMMIT "unknown"
#endif
#ifndef SLIPWAY_BUILD_DATE
#define SLIPWAY_BUILD_DATE "unknown"
#endif

const char *slipway_version(void) { return "0.1.0"; }
const char *slipway_commit(void) { return SLIPWAY_COMMIT; }
const char *slipway_build_date(void) { return SLIPWAY_BUILD_DATE; }
