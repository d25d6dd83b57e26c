#define SCALE_KEPT scale_kept_portable
#include "scion/model/dropout_kernel.inc"
