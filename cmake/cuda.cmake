# The CUDA half, included when SCION_CUDA is ON.
#
#   scion/x/y_cuda.cu   kernels and what launches them: raw pointers and a stream, no torch
#   scion/x/y_cuda.cc   tensors to pointers; compiled only here
#   scion/x/y.cc        the dispatch; sees SCION_CUDA=1
#
# The compiler is, in this order: CMAKE_CUDA_COMPILER, nvcc on the PATH, /usr/local/cuda, or the
# wheels of `make cuda` in .deps/cuda. Running needs what libtorch_cuda.so names (cuBLAS, cuDNN,
# NCCL …): a torch installed with its dependencies, given as -DTorch_ROOT, or those libraries on
# the LD_LIBRARY_PATH.

if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(SCION_NVCC nvcc PATHS /usr/local/cuda/bin
                                     "${PROJECT_SOURCE_DIR}/.deps/cuda/nvidia/cu13/bin")
  if(NOT SCION_NVCC)
    message(FATAL_ERROR "no CUDA compiler: run 'make cuda', which installs one, or install a "
                        "CUDA toolkit")
  endif()
  set(CMAKE_CUDA_COMPILER "${SCION_NVCC}")
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # 90: its code and PTX for what comes after it
endif()
# One CUDA runtime in the process: the shared one that libtorch brings, linked by its full name.
set(CMAKE_CUDA_RUNTIME_LIBRARY None)
if(CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${CCACHE}")
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc 12 has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)

get_filename_component(_toolkit "${CMAKE_CUDA_COMPILER}" REALPATH)
get_filename_component(_toolkit "${_toolkit}/../.." ABSOLUTE)
find_path(SCION_CUDA_HEADERS cuda_runtime_api.h
          PATHS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} "${_toolkit}/include" NO_DEFAULT_PATH
          REQUIRED)
file(GLOB SCION_CUDA_RUNTIME "${Torch_ROOT}/../nvidia/cu13/lib/libcudart.so.*"
     "${Torch_ROOT}/lib/libcudart*.so*")
if(NOT SCION_CUDA_RUNTIME)
  find_library(SCION_CUDA_RUNTIME cudart PATHS "${_toolkit}/lib64" "${_toolkit}/lib" REQUIRED)
endif()
list(GET SCION_CUDA_RUNTIME 0 SCION_CUDA_RUNTIME)

# The kernels know neither torch nor OpenMP, so they do not take their library's options. Only
# these files see SCION_CUDA: one precompiled header serves all.
set(KERNEL_SOURCES)
set(CUDA_SOURCES)
foreach(_library scion_loss scion_lib)
  set(_folders "${PROJECT_SOURCE_DIR}/scion/loss")
  if(_library STREQUAL "scion_lib")
    set(_folders "${PROJECT_SOURCE_DIR}/scion/nn")
  endif()
  file(GLOB_RECURSE _kernels CONFIGURE_DEPENDS "${_folders}/*.cu")
  file(GLOB_RECURSE _sources CONFIGURE_DEPENDS "${_folders}/*_cuda.cc")
  add_library(${_library}_kernels OBJECT ${_kernels})
  target_include_directories(${_library}_kernels PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_options(${_library}_kernels PRIVATE -lineinfo -Xcompiler=-Wall,-Wextra)
  target_sources(${_library} PRIVATE $<TARGET_OBJECTS:${_library}_kernels> ${_sources})
  target_include_directories(${_library} SYSTEM PRIVATE "${SCION_CUDA_HEADERS}")
  list(APPEND KERNEL_SOURCES ${_kernels})
  list(APPEND CUDA_SOURCES ${_sources})
endforeach()

foreach(_source ${KERNEL_SOURCES} ${CUDA_SOURCES})
  string(REGEX REPLACE "_cuda\\.(cu|cc)$" ".cc" _dispatch "${_source}")
  if(EXISTS "${_dispatch}")
    set_property(SOURCE "${_dispatch}" PROPERTY COMPILE_DEFINITIONS SCION_CUDA=1)
  endif()
endforeach()

# Tests on a GPU may ask CUDA itself.
file(GLOB_RECURSE CUDA_TESTS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*_cuda_test.cc")
set_property(SOURCE ${CUDA_TESTS} PROPERTY COMPILE_DEFINITIONS SCION_CUDA=1)
set_property(SOURCE ${CUDA_TESTS} PROPERTY COMPILE_OPTIONS -isystem "${SCION_CUDA_HEADERS}")

target_link_libraries(scion_loss PUBLIC Libtorch::cuda "${SCION_CUDA_RUNTIME}")
