package Caportal::Raw;

# One TLS connection to the portal that does what no browser does: sends piece by piece, stops in the middle, resets.

use v5.36;
use IO::Socket::SSL;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

# port; ca: trusted; cookie: of a session, perhaps.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    $self->{socket} = IO::Socket::SSL->new(
        PeerHost => '127.0.0.1', PeerPort => $given{port}, SSL_ca_file => $given{ca}, SSL_hostname => 'localhost',
        SSL_verifycn_name => 'localhost', Timeout => 10,
    ) or die "connecting to port $given{port}: " . ($SSL_ERROR || $!) . "\n";
    setsockopt $self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
    $self->{read} = '';
    return $self;
}

# The head of a request, as text. Headers beyond the usual ones in %more; undef takes one away.
sub head ($self, $method, $path, %more) {
    my %header = (
        Host   => "localhost:$self->{port}",
        Origin => "https://localhost:$self->{port}",
        ($self->{cookie} ? (Cookie => "__Host-caportal=$self->{cookie}") : ()),
        %more,
    );
    return "$method $path HTTP/1.1\r\n"
        . join('', map {"$_: $header{$_}\r\n"} grep { defined $header{$_} } sort keys %header) . "\r\n";
}

# The same with a body of known length.
sub whole ($self, $method, $path, $body, %more) {
    return $self->head($method, $path, 'Content-Length' => length $body, %more) . $body;
}

sub json ($self, $method, $path, $value, %more) {
    return $self->whole($method, $path, JSON::PP->new->utf8->canonical->encode($value),
        'Content-Type' => 'application/json', %more);
}

# How many bytes went out; less than all when the other side has closed.
sub send ($self, $bytes) {
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    utf8::downgrade($bytes);
    while ($sent < length $bytes) {
        my $n = $self->{socket}->syswrite($bytes, 16384, $sent) or last;
        $sent += $n;
    }
    return $sent;
}

# In pieces of so many bytes, each a TLS record of its own, with a pause between them.
sub send_in_pieces ($self, $bytes, $size = 1, $pause = 0) {
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = $self->send(substr $bytes, $sent, $size) or last;
        $sent += $n;
        sleep $pause if $pause;
    }
    return $sent;
}

# Whether something has come, or the other side has closed, within so many seconds.
sub readable ($self, $seconds) {
    return 1 if length $self->{read} || $self->{socket}->pending;
    vec(my $bits = '', fileno $self->{socket}, 1) = 1;
    return scalar select $bits, undef, undef, $seconds;
}

sub _more ($self, $end) {
    my $left = $end - time;
    return 0 if $left <= 0 || !$self->readable($left);
    my $n = $self->{socket}->sysread(my $bytes, 16384);
    $self->{read} .= $bytes if $n;
    return $n;
}

# The next answer as {status, headers (lower case), body, seconds}; nothing when none came in time or it was cut off.
sub answer ($self, $seconds = 15) {
    my $begin = time;
    my $end   = $begin + $seconds;

    while ($self->{read} !~ /\r\n\r\n/) { $self->_more($end) or return }
    my ($head, $rest) = split /\r\n\r\n/, $self->{read}, 2;
    my ($line, @lines) = split /\r\n/, $head;
    my ($status) = $line =~ m{\AHTTP/1\.1 (\d{3})} or return;
    my %header = map { /\A([^:]+):\s*(.*)\z/ ? (lc $1, $2) : () } @lines;

    $self->{read} = $rest;
    my $body = $status == 100 || $status == 204 ? '' : $self->_body(\%header, $end) // return;
    return {status => $status, headers => \%header, body => $body, seconds => time - $begin};
}

sub _take ($self, $length, $end) {
    while (length $self->{read} < $length) { $self->_more($end) or return }
    return substr $self->{read}, 0, $length, '';
}

sub _body ($self, $header, $end) {
    return $self->_take($header->{'content-length'}, $end) if defined $header->{'content-length'};

    my $body = '';
    while (($header->{'transfer-encoding'} // '') eq 'chunked') {
        while ($self->{read} !~ /\A[0-9a-f]+\r\n/i) { $self->_more($end) or return }
        $self->{read} =~ s/\A([0-9a-f]+)\r\n//i;
        my $length = hex $1;
        my $chunk  = $self->_take($length + 2, $end) // return;
        return $body if $length == 0;
        $body .= substr $chunk, 0, $length;
    }
    return $body;
}

# One request and its answer.
sub ask ($self, $bytes, $seconds = 15) {
    $self->send($bytes);
    return $self->answer($seconds);
}

sub _forget ($self) {
    my $socket = delete $self->{socket} or return;
    $socket->close(SSL_no_shutdown => 1, SSL_ctx_free => 1);
    return;
}

# Gone without a word of TLS: with a reset, or with the end of the stream.
sub reset ($self) {
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    return $self->_forget;
}

sub close ($self) { return $self->_forget }

1;
