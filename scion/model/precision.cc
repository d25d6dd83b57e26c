#include "scion/model/precision.h"

#include "scion/core/threads.h"

namespace scion {

bool use_bf16(Precision precision, const std::string& device, int64_t parameters) {
  if (precision != Precision::automatic)
    return precision == Precision::bf16 && (device != "cpu" || processor().avx512_bf16);
  // Below a million parameters the casts cost what the products save (bench/RESULTS.md).
  return device == "cuda" || (processor().avx512_bf16 && parameters > 1000000);
}

}  // namespace scion
