// The version, commit and build date compiled into the binary. scripts/build-info writes the last two.
#pragma once
const char *slipway_version(void);
const char *slipway_commit(void);
const char *slipway_build_date(void);
