#define SCALE_KEPT scale_kept_avx512
#include "scion/model/dropout_kernel.inc"
