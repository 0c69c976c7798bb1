import ArgumentParser
@main struct Lifeguard: ParsableCommand { func run() {} }
