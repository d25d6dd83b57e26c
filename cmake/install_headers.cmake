# Run by `cmake --install`: installs HEADERS (paths in SOURCE/scion) and every header of scion that
# they include, directly or not.
#
#   SOURCE        the source folder
#   HEADERS       a list
#   DESTINATION   folder for scion/…

set(found)
set(open ${HEADERS})
while(open)
  list(POP_FRONT open header)
  if(header IN_LIST found)
    continue()
  endif()
  list(APPEND found "${header}")
  file(STRINGS "${SOURCE}/scion/${header}" includes REGEX "^#include \"scion/")
  list(TRANSFORM includes REPLACE "^#include \"scion/([^\"]+)\".*" "\\1")
  list(APPEND open ${includes})
endwhile()
foreach(header ${found})
  get_filename_component(folder "${header}" DIRECTORY)
  file(INSTALL "${SOURCE}/scion/${header}" DESTINATION "${DESTINATION}/scion/${folder}")
endforeach()
