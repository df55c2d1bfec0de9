// CLinux is header-only; a target needs one source file.
#include "CLinux.h"
