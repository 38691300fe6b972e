import Primitives

/// Plays a script of events against a whole server in virtual time: requests of three clients and of strangers, answers of
/// any kind to what the server forwards, broken and repeated messages, failures of the network, time. `Watcher` says
/// what must hold.
///
/// The first byte says which devices are registered at the beginning; then each byte is an event, and the bytes behind
/// it are its choices.
func fuzzSequence(_ input: ByteSlice) {
    var reader = ByteReader(input)
    let scene = Scene(registered: reader.byte(), options: reader.byte())
    var events = 0
    while !reader.isAtEnd, events < 200 {
        scene.play(&reader)
        events += 1
    }
    scene.finish()
}
