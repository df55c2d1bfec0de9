// The web console's files, compiled in. `assets/` holds them; the chart library is Debian's `libjs-chart.js`.
#pragma once
#include <stddef.h>

struct slipway_console_asset {
    /// The name below /assets/, such as `app.js`.
    const char *name;
    const unsigned char *bytes;
    size_t length;
};

/// The number of files.
size_t slipway_console_asset_count(void);

/// The file at `index`, which must be below the count.
const struct slipway_console_asset *slipway_console_asset_at(size_t index);
