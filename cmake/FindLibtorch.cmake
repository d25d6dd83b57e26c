# Makes the imported targets Libtorch::cpu and (when Libtorch_FIND_COMPONENTS names it)
# Libtorch::cuda from a torch wheel or a libtorch folder.
#
# The wheel's own find_package(Torch) demands a CUDA toolkit even for a CPU build, and its
# include folder also carries fmt, protobuf and pybind11, which would shadow the system's:
# the compiler sees a folder of links to torch's own four header trees only.
#
#   Torch_ROOT   folder that holds include/ and lib/: a variable of CMake or of the environment

if(NOT Torch_ROOT)
  set(Torch_ROOT "$ENV{Torch_ROOT}")
endif()

find_library(Libtorch_CPU_LIBRARY torch_cpu PATHS "${Torch_ROOT}/lib" NO_DEFAULT_PATH)
find_library(Libtorch_C10_LIBRARY c10 PATHS "${Torch_ROOT}/lib" NO_DEFAULT_PATH)
find_path(Libtorch_HEADERS ATen/ATen.h PATHS "${Torch_ROOT}/include" NO_DEFAULT_PATH)

# Older releases have the numbers in the second file.
foreach(_file headeronly/version.h csrc/api/include/torch/version.h)
  if(NOT Libtorch_VERSION AND EXISTS "${Libtorch_HEADERS}/torch/${_file}")
    file(STRINGS "${Libtorch_HEADERS}/torch/${_file}" _version
         REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE "[^;]*TORCH_VERSION_[A-Z]+ ([0-9]+)" "\\1" _version "${_version}")
    list(JOIN _version . Libtorch_VERSION)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Libtorch
  REQUIRED_VARS Libtorch_CPU_LIBRARY Libtorch_C10_LIBRARY Libtorch_HEADERS
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE "run 'make deps', or pass -DTorch_ROOT=<folder of a libtorch 2.x>")

set(_links "${PROJECT_BINARY_DIR}/libtorch-headers")
file(MAKE_DIRECTORY "${_links}")
foreach(_tree ATen c10 torch caffe2)
  file(CREATE_LINK "${Libtorch_HEADERS}/${_tree}" "${_links}/${_tree}" SYMBOLIC)
endforeach()

# The wheel brings its own OpenMP runtime. Linking that very file keeps a second one out.
file(GLOB Libtorch_OPENMP_LIBRARY "${Torch_ROOT}/lib/libgomp*.so*")

if(Libtorch_FOUND AND NOT TARGET Libtorch::cpu)
  add_library(Libtorch::c10 SHARED IMPORTED)
  set_target_properties(Libtorch::c10 PROPERTIES IMPORTED_LOCATION "${Libtorch_C10_LIBRARY}")
  add_library(Libtorch::cpu SHARED IMPORTED)
  set_target_properties(
    Libtorch::cpu
    PROPERTIES IMPORTED_LOCATION "${Libtorch_CPU_LIBRARY}"
               INTERFACE_LINK_LIBRARIES "Libtorch::c10;${Libtorch_OPENMP_LIBRARY}"
               INTERFACE_LINK_DIRECTORIES "${Torch_ROOT}/lib")
  target_include_directories(Libtorch::cpu SYSTEM INTERFACE "${_links}")
  # libtorch names CUDA libraries that a CPU build never touches.
  target_link_options(Libtorch::cpu INTERFACE "-Wl,--allow-shlib-undefined")
endif()

if("cuda" IN_LIST Libtorch_FIND_COMPONENTS AND NOT TARGET Libtorch::cuda)
  find_library(Libtorch_CUDA_LIBRARY torch_cuda PATHS "${Torch_ROOT}/lib" NO_DEFAULT_PATH REQUIRED)
  find_library(Libtorch_C10_CUDA_LIBRARY c10_cuda PATHS "${Torch_ROOT}/lib" NO_DEFAULT_PATH REQUIRED)
  add_library(Libtorch::c10_cuda SHARED IMPORTED)
  set_target_properties(Libtorch::c10_cuda PROPERTIES IMPORTED_LOCATION "${Libtorch_C10_CUDA_LIBRARY}")
  add_library(Libtorch::cuda SHARED IMPORTED)
  set_target_properties(
    Libtorch::cuda PROPERTIES IMPORTED_LOCATION "${Libtorch_CUDA_LIBRARY}"
                              INTERFACE_LINK_LIBRARIES "Libtorch::c10_cuda;Libtorch::cpu")
  # Nothing refers to libtorch_cuda by name: it registers itself when it is loaded.
  target_link_options(Libtorch::cuda INTERFACE "-Wl,--no-as-needed")
endif()
