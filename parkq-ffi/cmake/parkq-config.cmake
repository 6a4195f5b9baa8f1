# find_package(parkq) gives the targets parkq::parkq (shared) and parkq::static, where installed.
get_filename_component(_parkq_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_path(_parkq_include parkq.h PATHS "${_parkq_prefix}" PATH_SUFFIXES include
  NO_DEFAULT_PATH NO_CACHE REQUIRED)
foreach(_parkq_kind SHARED STATIC)
  find_library(_parkq_library
    NAMES "${CMAKE_${_parkq_kind}_LIBRARY_PREFIX}parkq${CMAKE_${_parkq_kind}_LIBRARY_SUFFIX}"
    PATHS "${_parkq_prefix}" PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}"
    NO_DEFAULT_PATH NO_CACHE)
  set(_parkq_target parkq::static)
  if(_parkq_kind STREQUAL SHARED)
    set(_parkq_target parkq::parkq)
  endif()
  if(_parkq_library AND NOT TARGET ${_parkq_target})
    add_library(${_parkq_target} ${_parkq_kind} IMPORTED)
    set_target_properties(${_parkq_target} PROPERTIES
      IMPORTED_LOCATION "${_parkq_library}"
      INTERFACE_INCLUDE_DIRECTORIES "${_parkq_include}")
    if(_parkq_kind STREQUAL STATIC)
      set_property(TARGET ${_parkq_target} PROPERTY INTERFACE_LINK_LIBRARIES m pthread dl)
      set_property(TARGET ${_parkq_target} PROPERTY INTERFACE_LINK_OPTIONS "LINKER:-z,noexecstack")
    endif()
  endif()
  unset(_parkq_library)
endforeach()
if(NOT TARGET parkq::parkq AND NOT TARGET parkq::static)
  set(parkq_FOUND FALSE)
  set(parkq_NOT_FOUND_MESSAGE "no libparkq under ${_parkq_prefix}")
endif()
