extension Store {
    /// How many calls have begun and not ended, as far as was heard: of a phone that lost its connection in a call there is one
    /// until the limit of calls.
    public func openCallCount() throws(StoreError) -> Int64 {
        try connection.number("SELECT count(*) FROM call INDEXED BY call_open WHERE ended_at IS NULL") ?? 0
    }
}
