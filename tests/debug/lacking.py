"""The helpers of drgn that can't run on us yet: a call of each, and what it misses."""

# module -> helper -> (a call on the scene, a word of drgn's complaint).
LACK = {
    "sched": {
        "loadavg": (lambda s: s.loadavg(s.prog), "avenrun"),
        "rq_for_each_rt_task": (lambda s: list(s.rq_for_each_rt_task(s.rq)), "'rt'"),
        "task_group_name": (lambda s: s.task_group_name(s.first.sched_task_group), "css"),
        "task_group_sched_entity": (
            lambda s: s.task_group_sched_entity(s.first.sched_task_group, 0),
            "root_task_group",
        ),
    },
    "cpumask": {
        "cpumask_of": (lambda s: s.cpumask_of(s.prog, 0), "cpu_bit_bitmap"),
    },
    "percpu": {
        "percpu_counter_sum": (
            lambda s: s.percpu_counter_sum(s.prog.type("struct percpu_counter")),
            "percpu_counter",
        ),
        "percpu_counter_sum_positive": (
            lambda s: s.percpu_counter_sum_positive(s.prog.type("struct percpu_counter")),
            "percpu_counter",
        ),
    },
    "slab": {
        "find_containing_slab_cache": (
            lambda s: s.find_containing_slab_cache(s.first),
            "min_low_pfn",
        ),
        "get_slab_cache_aliases": (lambda s: s.get_slab_cache_aliases(s.prog), "CONFIG_SYSFS"),
        "slab_cache_for_each_allocated_object": (
            lambda s: list(
                s.slab_cache_for_each_allocated_object(
                    s.find_slab_cache(s.prog, "pid"), "struct pid"
                )
            ),
            "kmem_cache_node",
        ),
        "slab_cache_usage": (
            lambda s: s.slab_cache_usage(s.find_slab_cache(s.prog, "pid")),
            "unsigned integer",
        ),
        "slab_object_info": (lambda s: s.slab_object_info(s.first), "min_low_pfn"),
        "slab_total_usage": (lambda s: s.slab_total_usage(s.prog), "NR_SLAB_RECLAIMABLE"),
    },
    "fs": {
        "print_files": (lambda s: s.print_files(s.first), "f_path"),
        "path_lookup": (lambda s: s.path_lookup(s.prog, "/"), "mnt"),
    },
    "mm": {
        "cmdline": (lambda s: s.cmdline(s.first), "arg_start"),
        "environ": (lambda s: s.environ(s.first), "env_start"),
        "task_rss": (lambda s: s.task_rss(s.first), "rss_stat"),
        "task_vsize": (lambda s: s.task_vsize(s.first), "PAGE_SIZE"),
        "virt_to_page": (lambda s: s.virt_to_page(s.first), "direct mapping"),
        "access_process_vm": (
            lambda s: s.access_process_vm(s.first, 0x400000, 8),
            "address translation",
        ),
    },
}
