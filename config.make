cat << END                                                    >> $NGX_MAKEFILE

$NGX_OBJS/addon/%: CFLAGS += -std=gnu11 -Wshadow -Wpointer-arith

$caportal_build/libcaportal.a: FORCE
	\$(MAKE) -C $ngx_addon_dir lib BUILD=$caportal_build

FORCE:

END
