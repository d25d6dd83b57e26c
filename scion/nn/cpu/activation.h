// Activation functions of the kernels and of the operators over them.
#pragma once

namespace scion {

enum class Activation { none, relu, swish };

}  // namespace scion
