// In which numbers matrix products are taken.
#pragma once

#include <cstdint>
#include <string>

namespace scion {

/// Whether `precision` ("auto" included) means bfloat16 products for a model of that size here.
bool use_bf16(const std::string& precision, const std::string& device, int64_t parameters);

}  // namespace scion
