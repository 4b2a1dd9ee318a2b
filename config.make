cat << END                                                    >> $NGX_MAKEFILE

$caportal_build/libcaportal.a: FORCE
	\$(MAKE) -C $ngx_addon_dir lib BUILD=$caportal_build

FORCE:

END
