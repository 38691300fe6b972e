import Glibc

/// How many files and sockets this process may have open.
public enum DescriptorLimit {
    /// Raises the limit to `wanted` as far as the system allows; never lowers it. The limit after that.
    ///
    /// Systems start a process with 1024 for the sake of programs that use `select`, which we do not.
    public static func raise(to wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        if limit.rlim_cur < rlim_t(max(0, wanted)) {
            limit.rlim_cur = min(rlim_t(max(0, wanted)), limit.rlim_max)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        return Int(clamping: limit.rlim_cur)
    }
}
