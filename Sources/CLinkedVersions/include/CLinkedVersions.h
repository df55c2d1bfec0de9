// The versions of the linked C libraries, asked of the libraries themselves.
#pragma once
int slipway_linked_library_count(void);
const char *slipway_linked_library_name(int index);
const char *slipway_linked_library_version(int index);
