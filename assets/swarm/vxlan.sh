# Says whether the kernel has VXLAN, by which a swarm joins its hosts' networks: it is there already, built in, or a module that Docker can load. Reads only.
[ ! -d /sys/module/vxlan ] || { echo "vxlan is there"; exit 0; }
modules=/lib/modules/$(uname -r)
[ -d "$modules" ] || { echo "the kernel's modules cannot be looked at" >&2; exit 127; }
if grep -q '/vxlan\.ko' "$modules/modules.dep" "$modules/modules.builtin" 2>/dev/null; then
    echo "vxlan can be loaded"
else
    echo "the kernel has no vxlan"
    exit 1
fi
