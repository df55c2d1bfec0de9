#include "CLinux.h"

static _Thread_local void *current_loop = 0;

void *slipway_current_loop(void) { return current_loop; }
void slipway_set_current_loop(void *loop) { current_loop = loop; }
