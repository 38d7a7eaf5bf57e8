/* attempts.h - the table of inside.c: name, system call, arguments, or a function. */
static const struct attempt attempts[] = {
	/* programs and other processes */
#ifdef SYS_execve
	{"execve", SYS_execve, {P("/bin/true"), P(no_words), P(no_words)}, NULL},
#endif
#ifdef SYS_execveat
	{"execveat", SYS_execveat, {AT_FDCWD, P("/bin/true"), P(no_words), P(no_words)}, NULL},
#endif
	{"exec-memory-file", 0, {0}, try_exec_memory_file},
#ifdef SYS_fork
	{"fork", SYS_fork, {0}, NULL},
#endif
#ifdef SYS_vfork
	{"vfork", SYS_vfork, {0}, NULL},
#endif
#ifdef SYS_clone
	{"clone-process", SYS_clone, {SIGCHLD}, NULL},
#endif
#ifdef SYS_clone
	{"clone-thread", SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0}, NULL},
#endif
#ifdef SYS_clone
	{"clone-namespace", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, NULL},
#endif
#ifdef SYS_clone3
	{"clone3", SYS_clone3, {0, 0}, NULL},
#endif
	{"clone3-namespace", 0, {0}, try_clone3_namespace},
#ifdef SYS_ptrace
	{"ptrace-traceme", SYS_ptrace, {0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_ptrace
	{"ptrace-attach", SYS_ptrace, {16, 1, 0, 0}, NULL},
#endif
#ifdef SYS_process_vm_readv
	{"process-vm-readv", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_process_vm_writev
	{"process-vm-writev", SYS_process_vm_writev, {1, 0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_process_madvise
	{"process-madvise", SYS_process_madvise, {-1, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_process_mrelease
	{"process-mrelease", SYS_process_mrelease, {-1, 0}, NULL},
#endif
#ifdef SYS_kcmp
	{"kcmp", SYS_kcmp, {1, 1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_kill
	{"kill", SYS_kill, {1, 0}, NULL},
#endif
#ifdef SYS_kill
	{"kill-all", SYS_kill, {-1, 0}, NULL},
#endif
#ifdef SYS_tkill
	{"tkill", SYS_tkill, {1, 0}, NULL},
#endif
	{"tgkill-another", 0, {0}, try_thread_of_another},
	{"tgkill-itself", 0, {0}, try_itself},
#ifdef SYS_rt_sigqueueinfo
	{"sigqueue", SYS_rt_sigqueueinfo, {1, 0, 0}, NULL},
#endif
#ifdef SYS_rt_tgsigqueueinfo
	{"tgsigqueue", SYS_rt_tgsigqueueinfo, {1, 1, 0, 0}, NULL},
#endif
#ifdef SYS_pidfd_open
	{"pidfd-open", SYS_pidfd_open, {1, 0}, NULL},
#endif
#ifdef SYS_pidfd_getfd
	{"pidfd-getfd", SYS_pidfd_getfd, {-1, 0, 0}, NULL},
#endif
#ifdef SYS_pidfd_send_signal
	{"pidfd-send-signal", SYS_pidfd_send_signal, {-1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_wait4
	{"wait4", SYS_wait4, {-1, 0, 1, 0}, NULL},
#endif
#ifdef SYS_waitid
	{"waitid", SYS_waitid, {0, 0, 0, 5, 0}, NULL},
#endif
#ifdef SYS_setpgid
	{"setpgid", SYS_setpgid, {0, 0}, NULL},
#endif
#ifdef SYS_setsid
	{"setsid", SYS_setsid, {0}, NULL},
#endif
	/* files */
#ifdef SYS_openat
	{"openat-write", SYS_openat, {AT_FOLDER, P(precious), O_WRONLY}, NULL},
#endif
#ifdef SYS_openat
	{"openat-update", SYS_openat, {AT_FOLDER, P(precious), O_RDWR}, NULL},
#endif
#ifdef SYS_openat
	{"openat-create", SYS_openat, {AT_FOLDER, P(fresh), O_RDONLY | O_CREAT, 0600}, NULL},
#endif
#ifdef SYS_openat
	{"openat-truncate", SYS_openat, {AT_FOLDER, P(precious), O_RDONLY | O_TRUNC}, NULL},
#endif
#ifdef SYS_openat
	{"openat-append", SYS_openat, {AT_FOLDER, P(precious), O_RDONLY | O_APPEND}, NULL},
#endif
#ifdef SYS_openat
	{"openat-nameless", SYS_openat, {AT_FOLDER, P(folder), O_TMPFILE | O_RDWR, 0600}, NULL},
#endif
#ifdef SYS_openat
	{"openat-tmp", SYS_openat, {AT_FOLDER, P("/tmp/ctstub-never"), O_WRONLY | O_CREAT | O_EXCL, 0600}, NULL},
#endif
#ifdef SYS_openat
	{"openat-memory", SYS_openat, {AT_FOLDER, P("/proc/self/mem"), O_RDWR}, NULL},
#endif
#ifdef SYS_openat
	{"openat-read", SYS_openat, {AT_FOLDER, P("/dev/null"), O_RDONLY}, NULL},
#endif
#ifdef SYS_open
	{"open-write", SYS_open, {P(precious), O_WRONLY}, NULL},
#endif
#ifdef SYS_creat
	{"creat", SYS_creat, {P(fresh), 0600}, NULL},
#endif
	{"openat2", 0, {0}, try_open_how},
#ifdef SYS_open_by_handle_at
	{"open-by-handle", SYS_open_by_handle_at, {AT_FDCWD, 0, 0}, NULL},
#endif
#ifdef SYS_name_to_handle_at
	{"name-to-handle", SYS_name_to_handle_at, {AT_FDCWD, P("/"), 0, 0, 0}, NULL},
#endif
#ifdef SYS_unlinkat
	{"unlink", SYS_unlinkat, {AT_FOLDER, P("/nonexistent"), 0}, NULL},
#endif
#ifdef SYS_rmdir
	{"rmdir", SYS_rmdir, {P("/nonexistent")}, NULL},
#endif
#ifdef SYS_renameat
	{"rename", SYS_renameat, {AT_FOLDER, P("/nonexistent"), AT_FOLDER, P(fresh)}, NULL},
#endif
#ifdef SYS_linkat
	{"link", SYS_linkat, {AT_FOLDER, P(precious), AT_FOLDER, P(fresh), 0}, NULL},
#endif
#ifdef SYS_symlinkat
	{"symlink", SYS_symlinkat, {P("/etc/shadow"), AT_FOLDER, P(fresh)}, NULL},
#endif
#ifdef SYS_mkdirat
	{"mkdir", SYS_mkdirat, {AT_FOLDER, P("/nonexistent/folder"), 0700}, NULL},
#endif
#ifdef SYS_mknodat
	{"mknod", SYS_mknodat, {AT_FOLDER, P(fresh), S_IFCHR | 0600, 0x103}, NULL},
#endif
#ifdef SYS_fchmodat
	{"chmod", SYS_fchmodat, {AT_FOLDER, P(precious), 04755}, NULL},
#endif
#ifdef SYS_fchmod
	{"fchmod", SYS_fchmod, {-1, 0640}, NULL},
#endif
#ifdef SYS_fchownat
	{"chown", SYS_fchownat, {AT_FOLDER, P(precious), 0, 0, 0}, NULL},
#endif
#ifdef SYS_truncate
	{"truncate", SYS_truncate, {P(precious), 0}, NULL},
#endif
#ifdef SYS_ftruncate
	{"ftruncate", SYS_ftruncate, {-1, 0}, NULL},
#endif
#ifdef SYS_fallocate
	{"fallocate", SYS_fallocate, {-1, 0, 0, 4096}, NULL},
#endif
#ifdef SYS_utimensat
	{"utimensat", SYS_utimensat, {AT_FOLDER, P(precious), 0, 0}, NULL},
#endif
#ifdef SYS_setxattr
	{"setxattr", SYS_setxattr, {P(precious), P("user.x"), P("x"), 1, 0}, NULL},
#endif
#ifdef SYS_getxattr
	{"getxattr", SYS_getxattr, {P(precious), P("user.x"), 0, 0}, NULL},
#endif
#ifdef SYS_copy_file_range
	{"copy-file-range", SYS_copy_file_range, {-1, 0, -1, 0, 1, 0}, NULL},
#endif
#ifdef SYS_sendfile
	{"sendfile", SYS_sendfile, {-1, -1, 0, 1}, NULL},
#endif
#ifdef SYS_splice
	{"splice", SYS_splice, {-1, 0, -1, 0, 1, 0}, NULL},
#endif
#ifdef SYS_pipe2
	{"pipe", SYS_pipe2, {0, 0}, NULL},
#endif
#ifdef SYS_flock
	{"flock", SYS_flock, {-1, 1}, NULL},
#endif
#ifdef SYS_fcntl
	{"fcntl-owner", SYS_fcntl, {0, F_SETOWN, 1}, NULL},
#endif
#ifdef SYS_fcntl
	{"fcntl-lease", SYS_fcntl, {0, F_SETLEASE, 0}, NULL},
#endif
#ifdef SYS_fcntl
	{"fcntl-notify", SYS_fcntl, {0, F_NOTIFY, 0}, NULL},
#endif
#ifdef SYS_fcntl
	{"fcntl-lock", SYS_fcntl, {0, F_SETLK, 0}, NULL},
#endif
#ifdef SYS_inotify_init1
	{"inotify", SYS_inotify_init1, {0}, NULL},
#endif
#ifdef SYS_fanotify_init
	{"fanotify", SYS_fanotify_init, {0, 0}, NULL},
#endif
#ifdef SYS_chroot
	{"chroot", SYS_chroot, {P("/")}, NULL},
#endif
#ifdef SYS_chdir
	{"chdir", SYS_chdir, {P("/")}, NULL},
#endif
#ifdef SYS_umask
	{"umask", SYS_umask, {022}, NULL},
#endif
#ifdef SYS_sync
	{"sync", SYS_sync, {0}, NULL},
#endif
	/* the network */
#ifdef SYS_socket
	{"socket-tcp", SYS_socket, {AF_INET, SOCK_STREAM, 6}, NULL},
#endif
#ifdef SYS_socket
	{"socket-tcp6", SYS_socket, {AF_INET6, SOCK_STREAM, 6}, NULL},
#endif
#ifdef SYS_socket
	{"socket-udp", SYS_socket, {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-udp6", SYS_socket, {AF_INET6, SOCK_DGRAM, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-raw", SYS_socket, {AF_INET, SOCK_RAW, 17}, NULL},
#endif
#ifdef SYS_socket
	{"socket-raw6", SYS_socket, {AF_INET6, SOCK_RAW, 58}, NULL},
#endif
#ifdef SYS_socket
	{"socket-ping", SYS_socket, {AF_INET, SOCK_DGRAM, 1}, NULL},
#endif
#ifdef SYS_socket
	{"socket-sctp", SYS_socket, {AF_INET, SOCK_SEQPACKET, 132}, NULL},
#endif
#ifdef SYS_socket
	{"socket-mptcp", SYS_socket, {AF_INET, SOCK_STREAM, 262}, NULL},
#endif
#ifdef SYS_socket
	{"socket-packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-netlink", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-alg", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-vsock", SYS_socket, {40, SOCK_STREAM, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-bluetooth", SYS_socket, {31, SOCK_RAW, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-unix-stream", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-unix-datagram", SYS_socket, {AF_UNIX, SOCK_DGRAM, 0}, NULL},
#endif
#ifdef SYS_socket
	{"socket-unix-messages", SYS_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, NULL},
#endif
#ifdef SYS_socketpair
	{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, NULL},
#endif
	{"bind", 0, {0}, try_bind_port},
#ifdef SYS_listen
	{"listen", SYS_listen, {-1, 1}, NULL},
#endif
	{"connect", 0, {0}, try_connect_unix},
	{"foreign-datagram", 0, {0}, try_foreign_datagram},
#ifdef SYS_accept4
	{"accept", SYS_accept4, {-1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_ioctl
	{"ioctl-interfaces", SYS_ioctl, {0, 0x8912, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-filter", SYS_setsockopt, {-1, SOL_SOCKET, 26, 0, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-mark", SYS_setsockopt, {-1, SOL_SOCKET, 36, 0, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-device", SYS_setsockopt, {-1, SOL_SOCKET, 25, 0, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-ulp", SYS_setsockopt, {-1, 6, 31, 0, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-tables", SYS_setsockopt, {-1, 0, 64, 0, 0}, NULL},
#endif
#ifdef SYS_setsockopt
	{"setsockopt-no-delay", SYS_setsockopt, {-1, 6, 1, 0, 0}, NULL},
#endif
	/* memory and code */
#ifdef SYS_mmap
	{"mmap-code", SYS_mmap, {0, PAGE, PROT_READ | PROT_EXEC, ANON, -1, 0}, NULL},
#endif
#ifdef SYS_mmap
	{"mmap-write-code", SYS_mmap, {0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, ANON, -1, 0}, NULL},
#endif
#ifdef SYS_mprotect
	{"mprotect-code", SYS_mprotect, {0, PAGE, PROT_READ | PROT_EXEC}, NULL},
#endif
#ifdef SYS_pkey_mprotect
	{"pkey-mprotect", SYS_pkey_mprotect, {0, PAGE, PROT_READ | PROT_EXEC, -1}, NULL},
#endif
#ifdef SYS_remap_file_pages
	{"remap-file-pages", SYS_remap_file_pages, {0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_memfd_create
	{"memfd-create", SYS_memfd_create, {P("x"), 0}, NULL},
#endif
#ifdef SYS_memfd_secret
	{"memfd-secret", SYS_memfd_secret, {0}, NULL},
#endif
#ifdef SYS_userfaultfd
	{"userfaultfd", SYS_userfaultfd, {1}, NULL},
#endif
#ifdef SYS_shmget
	{"shmget", SYS_shmget, {0, 4096, 0600}, NULL},
#endif
#ifdef SYS_shmat
	{"shmat", SYS_shmat, {-1, 0, 0}, NULL},
#endif
#ifdef SYS_msgget
	{"msgget", SYS_msgget, {0, 0600}, NULL},
#endif
#ifdef SYS_semget
	{"semget", SYS_semget, {0, 1, 0600}, NULL},
#endif
#ifdef SYS_mq_open
	{"mq-open", SYS_mq_open, {P("/ctstub-never"), O_CREAT, 0600, 0}, NULL},
#endif
#ifdef SYS_mlockall
	{"mlockall", SYS_mlockall, {1}, NULL},
#endif
#ifdef SYS_mbind
	{"mbind", SYS_mbind, {0, 0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_move_pages
	{"move-pages", SYS_move_pages, {1, 0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_personality
	{"personality", SYS_personality, {0x0040000}, NULL},
#endif
#ifdef SYS_modify_ldt
	{"modify-ldt", SYS_modify_ldt, {1, 0, 0}, NULL},
#endif
#ifdef SYS_arch_prctl
	{"arch-prctl", SYS_arch_prctl, {0x1003, 0}, NULL},
#endif
	{"x32", 0, {0}, try_x32},
	{"i386", 0, {0}, try_i386},
	/* itself */
#ifdef SYS_setuid
	{"setuid", SYS_setuid, {0}, NULL},
#endif
#ifdef SYS_setgid
	{"setgid", SYS_setgid, {0}, NULL},
#endif
#ifdef SYS_setresuid
	{"setresuid", SYS_setresuid, {-1, -1, -1}, NULL},
#endif
#ifdef SYS_setreuid
	{"setreuid", SYS_setreuid, {-1, -1}, NULL},
#endif
#ifdef SYS_setgroups
	{"setgroups", SYS_setgroups, {0, 0}, NULL},
#endif
#ifdef SYS_setfsuid
	{"setfsuid", SYS_setfsuid, {0}, NULL},
#endif
#ifdef SYS_capset
	{"capset", SYS_capset, {0, 0}, NULL},
#endif
#ifdef SYS_capget
	{"capget", SYS_capget, {0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-new-privileges", SYS_prctl, {38, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-dumpable", SYS_prctl, {4, 1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-seccomp", SYS_prctl, {22, 2, 0, 0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-ptracer", SYS_prctl, {0x59616d61, -1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-memory-map", SYS_prctl, {35, 1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_prctl
	{"prctl-ambient", SYS_prctl, {47, 2, 0, 0, 0}, NULL},
#endif
#ifdef SYS_seccomp
	{"seccomp", SYS_seccomp, {1, 0, 0}, NULL},
#endif
#ifdef SYS_seccomp
	{"seccomp-log", SYS_seccomp, {2, 0, 0}, NULL},
#endif
#ifdef SYS_landlock_create_ruleset
	{"landlock", SYS_landlock_create_ruleset, {0, 0, 1}, NULL},
#endif
#ifdef SYS_setrlimit
	{"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, P(&limit_of_files)}, NULL},
#endif
#ifdef SYS_prlimit64
	{"prlimit-write", SYS_prlimit64, {0, RLIMIT_NOFILE, P(&limit_of_files), 0}, NULL},
#endif
#ifdef SYS_prlimit64
	{"prlimit-another", SYS_prlimit64, {1, RLIMIT_NOFILE, P(&limit_of_files), 0}, NULL},
#endif
#ifdef SYS_setpriority
	{"setpriority", SYS_setpriority, {0, 0, 5}, NULL},
#endif
#ifdef SYS_sched_setscheduler
	{"sched-setscheduler", SYS_sched_setscheduler, {0, 0, 0}, NULL},
#endif
#ifdef SYS_sched_setaffinity
	{"sched-setaffinity", SYS_sched_setaffinity, {0, 0, 0}, NULL},
#endif
#ifdef SYS_ioprio_set
	{"ioprio-set", SYS_ioprio_set, {1, 0, 0}, NULL},
#endif
#ifdef SYS_setitimer
	{"setitimer", SYS_setitimer, {0, 0, 0}, NULL},
#endif
#ifdef SYS_timer_create
	{"timer-create", SYS_timer_create, {0, 0, 0}, NULL},
#endif
#ifdef SYS_alarm
	{"alarm", SYS_alarm, {0}, NULL},
#endif
#ifdef SYS_ioctl
	{"ioctl-terminal", SYS_ioctl, {0, TIOCSTI, P("x")}, NULL},
#endif
#ifdef SYS_ioctl
	{"ioctl-paste", SYS_ioctl, {0, 0x541c, P("x")}, NULL},
#endif
#ifdef SYS_ioctl
	{"ioctl-terminal-high", SYS_ioctl, {0, (long)(TIOCSTI | 0x100000000), P("x")}, NULL},
#endif
	/* the machine */
#ifdef SYS_unshare
	{"unshare-user", SYS_unshare, {CLONE_NEWUSER}, NULL},
#endif
#ifdef SYS_unshare
	{"unshare-mount", SYS_unshare, {CLONE_NEWNS}, NULL},
#endif
#ifdef SYS_unshare
	{"unshare-network", SYS_unshare, {CLONE_NEWNET}, NULL},
#endif
#ifdef SYS_unshare
	{"unshare-nothing", SYS_unshare, {0}, NULL},
#endif
#ifdef SYS_setns
	{"setns", SYS_setns, {-1, 0}, NULL},
#endif
#ifdef SYS_mount
	{"mount", SYS_mount, {0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_umount2
	{"umount", SYS_umount2, {0, 0}, NULL},
#endif
#ifdef SYS_fsopen
	{"fsopen", SYS_fsopen, {0, 0}, NULL},
#endif
#ifdef SYS_open_tree
	{"open-tree", SYS_open_tree, {-1, 0, 0}, NULL},
#endif
#ifdef SYS_move_mount
	{"move-mount", SYS_move_mount, {-1, 0, -1, 0, 0}, NULL},
#endif
#ifdef SYS_mount_setattr
	{"mount-setattr", SYS_mount_setattr, {-1, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_pivot_root
	{"pivot-root", SYS_pivot_root, {0, 0}, NULL},
#endif
#ifdef SYS_bpf
	{"bpf-map", SYS_bpf, {0, 0, 0}, NULL},
#endif
#ifdef SYS_bpf
	{"bpf-program", SYS_bpf, {5, 0, 0}, NULL},
#endif
#ifdef SYS_io_uring_setup
	{"io-uring-setup", SYS_io_uring_setup, {0, 0}, NULL},
#endif
#ifdef SYS_io_uring_enter
	{"io-uring-enter", SYS_io_uring_enter, {-1, 0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_io_uring_register
	{"io-uring-register", SYS_io_uring_register, {-1, 0, 0, 0}, NULL},
#endif
#ifdef SYS_io_setup
	{"io-setup", SYS_io_setup, {0, 0}, NULL},
#endif
#ifdef SYS_keyctl
	{"keyctl", SYS_keyctl, {0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_add_key
	{"add-key", SYS_add_key, {0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_request_key
	{"request-key", SYS_request_key, {0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_perf_event_open
	{"perf-event-open", SYS_perf_event_open, {0, 0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_kexec_load
	{"kexec-load", SYS_kexec_load, {0, 0, 0, -1}, NULL},
#endif
#ifdef SYS_kexec_file_load
	{"kexec-file-load", SYS_kexec_file_load, {-1, -1, 0, 0, -1}, NULL},
#endif
#ifdef SYS_init_module
	{"init-module", SYS_init_module, {0, 0, 0}, NULL},
#endif
#ifdef SYS_finit_module
	{"finit-module", SYS_finit_module, {-1, 0, 0}, NULL},
#endif
#ifdef SYS_delete_module
	{"delete-module", SYS_delete_module, {0, 0}, NULL},
#endif
#ifdef SYS_reboot
	{"reboot", SYS_reboot, {0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_sethostname
	{"sethostname", SYS_sethostname, {0, -1}, NULL},
#endif
#ifdef SYS_setdomainname
	{"setdomainname", SYS_setdomainname, {0, -1}, NULL},
#endif
#ifdef SYS_settimeofday
	{"settimeofday", SYS_settimeofday, {0, 0}, NULL},
#endif
#ifdef SYS_clock_settime
	{"clock-settime", SYS_clock_settime, {0, 0}, NULL},
#endif
#ifdef SYS_adjtimex
	{"adjtimex", SYS_adjtimex, {0}, NULL},
#endif
#ifdef SYS_clock_adjtime
	{"clock-adjtime", SYS_clock_adjtime, {0, 0}, NULL},
#endif
#ifdef SYS_swapon
	{"swapon", SYS_swapon, {0, 0}, NULL},
#endif
#ifdef SYS_swapoff
	{"swapoff", SYS_swapoff, {0}, NULL},
#endif
#ifdef SYS_acct
	{"acct", SYS_acct, {P("/nonexistent")}, NULL},
#endif
#ifdef SYS_quotactl
	{"quotactl", SYS_quotactl, {0, 0, 0, 0}, NULL},
#endif
#ifdef SYS_syslog
	{"syslog", SYS_syslog, {10, 0, 0}, NULL},
#endif
#ifdef SYS_vhangup
	{"vhangup", SYS_vhangup, {0}, NULL},
#endif
#ifdef SYS_iopl
	{"iopl", SYS_iopl, {4}, NULL},
#endif
#ifdef SYS_ioperm
	{"ioperm", SYS_ioperm, {0, 0, 0}, NULL},
#endif
};
