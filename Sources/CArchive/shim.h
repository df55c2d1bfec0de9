// libarchive's C interface; Swift can call all of it that is used.
#pragma once
#include <archive.h>
#include <archive_entry.h>
