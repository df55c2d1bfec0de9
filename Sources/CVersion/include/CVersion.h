// The version, commit and build date compiled into the binary. `make build` passes the last two.
#pragma once
const char *slipway_version(void);
const char *slipway_commit(void);
const char *slipway_build_date(void);
