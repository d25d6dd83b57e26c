// Number format of matrix products (fp32 or bf16).
#pragma once

#include <cstdint>
#include <string>

namespace scion {

/// True if `precision` ("auto" included) means bfloat16 products for a model of this size on this
/// machine.
bool use_bf16(const std::string& precision, const std::string& device, int64_t parameters);

}  // namespace scion
