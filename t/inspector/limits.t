use v5.36;
use warnings FATAL => 'all';

# One file is all that a bomb, a crash or a slow decoder costs; and nobody waits for ever.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(png png_chunk jpeg pdf_page pdf_compressed);
use Compress::Zlib ();
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_SEQPACKET);
use Test::More;

my $class = 'Caportal::Test::Inspector';
my $good  = png();

# A stream that inflates to so many megabytes of one byte.
sub inflated ($megabytes, $byte = ' ') {
    my $deflate = Compress::Zlib::deflateInit(-Level => 1);
    my $block   = $byte x 2**20;
    my $bytes   = '';
    for (1 .. $megabytes) { $bytes .= ($deflate->deflate($block))[0] }
    return $bytes . ($deflate->flush)[0];
}

sub stream ($data, $more = '') { return "<</Length @{[ length $data ]}$more>>stream\n$data\nendstream" }

# Ten forms, each painting the next one ten times.
sub slow_document () {
    my $form = '/Type/XObject/Subtype/Form/BBox[0 0 99 99]';
    return pdf_page(
        content   => '/F Do',
        resources => '/XObject<</F 5 0 R>>',
        more      => [
            (map { stream('/F Do ' x 10, "$form/Resources<</XObject<</F @{[ 5 + $_ ]} 0 R>>>>") } 1 .. 9),
            stream('0 0 9 9 re f ' x 9, $form),
        ],
    );
}

# The connection of a child, shared with it.
sub connection_of ($pid) {
    my $process = syscall 434, $pid, 0;           # pidfd_open
    my $fd      = syscall 438, $process, 3, 0;    # pidfd_getfd
    POSIX::close($process) if $process >= 0;
    return if $fd < 0;
    open my $socket, '+<&=', $fd or die $!;
    return $socket;
}

subtest 'bombs' => sub {
    my $inspector = $class->start;
    my $bomb = "\x89PNG\r\n\x1a\n" . png_chunk('IHDR', pack 'NNC5', 30000, 30000, 1, 0, 0, 0, 0)
        . png_chunk('IDAT', inflated(108, "\0")) . png_chunk('IEND');
    cmp_ok length $bomb, '<', 700_000, 'a small file';
    is $inspector->verdict('png', $bomb), 'too_many_pixels', '30,000 × 30,000 is refused by its header';
    is $inspector->verdict('png', $bomb, pixels => 4e9), 'too_much_memory',
        'allowed to be so large, it finds its memory limited'
        if !$class->is_sanitized;

    my $interlaced = "\x89PNG\r\n\x1a\n" . png_chunk('IHDR', pack 'NNC5', 9000, 9000, 16, 6, 0, 0, 1)
        . png_chunk('IDAT', inflated(10, "\0")) . png_chunk('IEND');
    is $inspector->verdict('png', $interlaced, pixels => 4e9), 'too_much_memory',
        'so does a picture that is held as a whole'
        if !$class->is_sanitized;

    my $objects = stream(inflated(400), '/Type/ObjStm/N 1/First 4/Filter/FlateDecode');
    my @bombed  = ('<</Type/Catalog/Pages 2 0 R/OpenAction 6 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
        '<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>', $objects);
    like $inspector->verdict('pdf', pdf_compressed(\@bombed, 6 => 4)), qr/\Atoo_(?:much_memory|slow)\z/,
        'objects that inflate to 400 MB';

    is $inspector->verdict('pdf', slow_document()), 'too_slow', 'forms in forms in forms';

    is $inspector->verdict('png', $good), 'ok', 'the next file is none the worse';
    $inspector->stop;
};

subtest 'a child that dies' => sub {
    my $inspector = $class->start(children => 2, allow => qr/signal 31/);
    my @first = $inspector->children;

    # A stopped child takes its file and does nothing: the moment is ours.
    my $in_hand = sub ($signal, $of = $inspector) {
        my @ready = $of->stopped_children(2);
        my $begun = $of->begin('png', $good);
        if ($signal) {
            # Its successor is forked when the file has been handed over.
            $of->wait_for('the file to be handed over', sub { $of->children > @ready });
            kill $_ => @ready for $signal, 'CONT';
        }
        my $verdict = $of->await($begun);
        $of->put_down(@ready);
        return $verdict;
    };
    is $in_hand->('KILL'), 'crashed',  'killed';
    is $in_hand->('SEGV'), 'crashed',  'a fault' if !$class->is_sanitized;
    is $in_hand->('SYS'),  'crashed',  'a forbidden call';
    is $in_hand->('XCPU'), 'too_slow', 'out of CPU time';
    is $in_hand->('XFSZ'), 'too_much_memory', 'too much written';
    is $inspector->verdict('png', $good), 'ok', 'others take its place';
    is scalar(grep { my $pid = $_; grep { $_ == $pid } @first } $inspector->children), 0, 'all of them new';

    # One that was taken over may end its connection and live on: shutdown(2) of the same connection, by pidfd_getfd(2).
    SKIP: {
        my @ready = $inspector->stopped_children(2);
        my @ends  = map { connection_of($_) // () } @ready;
        if (@ends != @ready) {
            $inspector->put_down(@ready);
            skip 'no other process\'s connection can be had here', 1;
        }
        my $begun = $inspector->begin('png', $good);
        $inspector->wait_for('the file to be handed over', sub { $inspector->children > @ready });
        shutdown $_, 2 for @ends;
        is $inspector->await($begun), 'crashed', 'one that hangs up is not waited for';
        $inspector->put_down(@ready);
    }

    # Dying in reserve costs nobody anything.
    $inspector->put_down($inspector->stopped_children(2));
    is $inspector->verdict('png', $good), 'ok', 'children killed while they wait are replaced';
    like $inspector->log, qr/a child died over a file of type 2: signal 9/, 'the log says what happened, and no name';
    $inspector->stop;

    my $hasty = $class->start(children => 2, cpu_time => '1s', wall_time => '1s');
    is $in_hand->(undef, $hasty), 'too_slow', 'over its time by the clock';
    $hasty->stop;
};

subtest 'one after the other, and side by side' => sub {
    my $inspector = $class->start(children => 2);
    my $memory = sub { $inspector->status_of($inspector->pid, 'VmRSS') };
    my $descriptors = sub { scalar(() = glob '/proc/' . $inspector->pid . '/fd/*') };

    my $open  = $descriptors->();
    my $small = $inspector->file(png(width => 4, height => 4));
    my @one   = split /\n/, Caportal::Files::capture($inspector->command({times => 1}, ([png => $small]) x 50));
    my $kilobytes = $memory->();
    my $said = Caportal::Files::capture($inspector->command({times => 1000}, [png => $small]));
    is scalar(() = $said =~ /"reason":""/g), 1000, 'a thousand files';
    cmp_ok $memory->() - $kilobytes, '<', 256, 'take no memory of the parent' if !$class->is_sanitized;
    ok $inspector->wait_for('the last children to be buried', sub { $descriptors->() <= $open }), 'and no descriptor';

    # A client that goes away takes its work with it.
    my @ready = $inspector->stopped_children(2);
    my $begun = $inspector->begin('png', $good);
    $inspector->wait_for('the file to be handed over', sub { $inspector->children > @ready });
    kill KILL => $begun->{pid};
    $inspector->await($begun);
    ok $inspector->wait_for('its child to go', sub { 1 == grep { kill 0, $_ } @ready }),
        'a child whose client went is not kept';
    $inspector->put_down(@ready);

    # Clients that say nothing, or nonsense.
    my @mute = map { IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $inspector->socket) } 1 .. 20;
    is scalar(grep {defined} @mute), 20, 'connections that say nothing';
    is $inspector->verdict('png', $good), 'ok', '  are in nobody\'s way';
    for my $nonsense ('x', 'x' x 32, 'x' x 5000, "\1IPC" . "\0" x 28) {
        my $socket = IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $inspector->socket);
        send $socket, $nonsense, 0;
        my $answer = '';
        recv $socket, $answer, 10, 0;
        is length($answer // ''), 0, 'nonsense of ' . length($nonsense) . ' bytes is not answered';
    }
    is $inspector->verdict('png', $good), 'ok', 'and others still are';
    $inspector->stop;
};

subtest 'a full queue' => sub {
    my $inspector = $class->start(children => 1, queue => 0);
    my @ready = $inspector->stopped_children(1);
    my @begun = map { $inspector->begin('png', $good) } 1 .. 5;
    ok $inspector->wait_for('the refusals', sub { 3 == grep { $inspector->said($_) eq 'busy' } @begun }),
        'one at work, one that waits: further ones are told at once';
    kill CONT => @ready;
    is join(' ', sort map { $inspector->await($_) } @begun), 'busy busy busy ok ok', 'who was there before is served';
    is $inspector->verdict('png', $good), 'ok', 'and then there is room again';
    $inspector->stop;
};

subtest 'the end' => sub {
    my $inspector = $class->start(children => 1);
    my @ready = $inspector->stopped_children(1);
    my @begun = map { $inspector->begin('png', $good) } 1 .. 3;
    $inspector->wait_for('the file to be handed over', sub { $inspector->children > @ready });
    my $pid = $inspector->pid;
    # The listening one, those of three clients and of two children.
    $inspector->wait_for('all to be asked',
        sub { 6 <= grep { (readlink $_ // '') =~ /^socket/ } glob "/proc/$pid/fd/*" });
    kill TERM => $pid;
    $inspector->wait_for('the socket to be closed',
        sub { !IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $inspector->socket) });
    kill CONT => @ready;
    is_deeply [map { $inspector->await($_) } @begun], [qw(ok ok ok)], 'what was asked before is done';
    ok $inspector->wait_for('its end', sub { !$inspector->pid }), 'then it ends';
    is $inspector->verdict('png', $good), 'busy', 'and nobody answers';
    like $inspector->log, qr/caportal-inspector stops/, 'as the log says';

    $inspector->service->start;
    $inspector->service->wait_ready;
    is $inspector->verdict('png', $good), 'ok', 'started again, over the socket that was left';
    my $second = Caportal::Process->new(name => 'second', run => $inspector->home . '/run',
        log => $inspector->home . '/log');
    $second->start([$inspector->service->_command]);
    $inspector->wait_for('the second to give up', sub { !$second->pid });
    like $second->last_lines, qr/cannot listen .*Address already in use/, 'a second one on the same socket gives up';
    is $inspector->verdict('png', $good), 'ok', 'and leaves the first alone';

    my @children = $inspector->children;
    $inspector->service->process->signal('KILL');
    ok $inspector->wait_for('the children to go', sub { !grep { kill 0, $_ } @children }),
        'killed, it takes its children with it';
    $inspector->service->start;
    $inspector->service->wait_ready;
    is $inspector->verdict('png', $good), 'ok', 'and can be started again';
    $inspector->stop;
};

subtest 'configuration' => sub {
    my $inspector = $class->start(children => 1);
    my $conf = $inspector->home . '/conf/inspector.conf';
    my $test = sub ($text) {
        Caportal::Files::write_file("$conf.bad", $text);
        my $program = $inspector->service->{build} . '/caportal-inspector';
        return scalar qx('$program' -c '$conf.bad' -t 2>&1);
    };
    my $listen = "listen /tmp/x;\n";
    my %fault = (
        "children 1;\n"                           => qr/"listen" .*missing|listen/,
        "${listen}children 0;\n"                  => qr/children.*:2$/m,
        "${listen}memory 256;\n"                  => qr/"memory" must be from 64m to 4096m in .*:2$/m,
        "${listen}memory 1m;\n"                   => qr/"memory" must be/,
        "${listen}cpu_time 5s;\nwall_time 2s;\n"  => qr/"wall_time" must not be shorter than "cpu_time"/,
        "${listen}colour red;\n"                  => qr/unknown.*:2$/m,
        "${listen}listen /tmp/y;\n"               => qr/:2$/m,
    );
    like $test->($_), $fault{$_}, 'refused: ' . s/\n/ /gr for sort keys %fault;
    like $test->("$listen#x\n"), qr/test is successful/, 'a good one is good';

    my $unknown = eval { $class->start(user => 'nobody-of-that-name') };
    ok !$unknown, 'an unknown user stops it';
    like $@, qr/cannot start: the user: No such file/, '  with a reason';
    ok !eval { $class->start(user => 'root') }, 'it does not run as root';
    ok !eval { $class->start(listen => '/nonexistent/socket') }, 'nor without its socket';
    $inspector->stop;
};

done_testing;
