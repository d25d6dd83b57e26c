# `cmake --install`: the program with its completions and manual page, the libraries with their
# public headers, and the package that find_package(scion) reads.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
include(cmake/public_headers.cmake)
set(SCION_PACKAGE "${CMAKE_INSTALL_LIBDIR}/cmake/scion")

# libtorch is found where it was at build time; it may be inside the source folder, whose paths
# INSTALL_RPATH_USE_LINK_PATH leaves out.
set_target_properties(scion PROPERTIES INSTALL_RPATH "${Torch_ROOT}/lib")
install(TARGETS scion DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS scion_loss EXPORT scionLossTargets DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS scion_lib EXPORT scionTargets DESTINATION "${CMAKE_INSTALL_LIBDIR}")
foreach(export scionLossTargets scionTargets)
  install(EXPORT ${export} NAMESPACE scion:: DESTINATION "${SCION_PACKAGE}")
endforeach()
install(CODE "
  set(SOURCE \"${PROJECT_SOURCE_DIR}\")
  set(HEADERS \"${SCION_LOSS_HEADERS};${SCION_HEADERS}\")
  set(DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake\")")

configure_package_config_file(cmake/scionConfig.cmake.in "${PROJECT_BINARY_DIR}/scionConfig.cmake"
                              INSTALL_DESTINATION "${SCION_PACKAGE}")
# Before 1.0 a minor version may change what others compile against.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/scionConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/scionConfig.cmake"
              "${PROJECT_BINARY_DIR}/scionConfigVersion.cmake" cmake/FindLibtorch.cmake
        DESTINATION "${SCION_PACKAGE}")

install(FILES docs/scion.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
# The program writes its own completions, each under the name that its shell looks for.
foreach(entry bash:bash-completion/completions/scion zsh:zsh/site-functions/_scion
              fish:fish/vendor_completions.d/scion.fish)
  string(REPLACE ":" ";" entry "${entry}")
  list(GET entry 0 shell)
  list(GET entry 1 file)
  install(CODE "
    set(file \"${PROJECT_BINARY_DIR}/completions/${file}\")
    get_filename_component(folder \"\${file}\" DIRECTORY)
    file(MAKE_DIRECTORY \"\${folder}\")
    execute_process(COMMAND \"$<TARGET_FILE:scion>\" completion ${shell} OUTPUT_FILE \"\${file}\"
                    COMMAND_ERROR_IS_FATAL ANY)")
  get_filename_component(folder "${file}" DIRECTORY)
  install(FILES "${PROJECT_BINARY_DIR}/completions/${file}"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/${folder}")
endforeach()
