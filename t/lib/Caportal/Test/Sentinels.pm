package Caportal::Test::Sentinels;

# Three Sentinels that say what they are told to: what a client makes of it when they disagree.

use v5.36;
use IO::Select;
use IO::Socket::IP;
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

# port: of the first; password: that they want.
sub start ($class, %given) {
    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    $_->autoflush(1) for $here, $there;
    my @listen = map {
        IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $given{port} + $_, Listen => 64, ReuseAddr => 1)
            or die "port: $!\n"
    } 0 .. 2;

    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        close $here;
        my $self = bless {%given, listen => \@listen, control => $there, says => [('nil') x 3]}, $class;
        eval { $self->_serve; 1 } or print STDERR $@;
        require POSIX;
        POSIX::_exit(0);
    }
    close $there;
    return bless {%given, pid => $pid, owner => $$, control => $here}, $class;
}

# The second by its host's name.
sub address ($self) {
    return join ',', map { ($_ == 1 ? 'localhost:' : '127.0.0.1:') . ($self->{port} + $_) } 0 .. 2;
}

# What each of them answers from now on: a port of this machine, "nil", "error", "silent" or "gone".
sub say ($self, @says) {
    print { $self->{control} } "@says\n";
    readline $self->{control};
    return;
}

sub _serve ($self) {
    local $SIG{PIPE} = 'IGNORE';
    $self->{select} = IO::Select->new(@{ $self->{listen} }, $self->{control});
    while (1) {
        for my $ready ($self->{select}->can_read) {
            my ($number) = grep { $self->{listen}[$_] == $ready } 0 .. 2;
            if (defined $number) { $self->_accept($number) }
            elsif ($ready == $self->{control}) { $self->_told(readline($ready) // return) }
            elsif ($self->{number}{$ready})    { $self->_answer($ready) }
        }
    }
    return;
}

sub _accept ($self, $number) {
    my $client = $self->{listen}[$number]->accept or return;
    return close $client if $self->{says}[$number] eq 'gone';
    $self->{number}{$client} = $number + 1;
    $self->{socket}{$client} = $client;
    $self->{select}->add($client);
    return;
}

sub _close ($self, $client) {
    $self->{select}->remove($client);
    delete @$_{"$client"} for @$self{qw(number socket signed_in)};
    close $client;
    return;
}

sub _told ($self, $line) {
    $self->{says} = [split ' ', $line];
    for my $client (values %{ $self->{socket} }) {
        $self->_close($client) if $self->{says}[$self->{number}{$client} - 1] eq 'gone';
    }
    print { $self->{control} } "ok\n";
    return;
}

sub _answer ($self, $client) {
    my $says = $self->{says}[$self->{number}{$client} - 1];
    return $self->_close($client) if !sysread $client, my $bytes, 65536;

    my $answer = '';
    if ($bytes =~ /AUTH/) {
        $self->{signed_in}{$client} = $bytes =~ /\Q$self->{password}\E/;
        $answer .= $self->{signed_in}{$client} ? "+OK\r\n" : "-WRONGPASS invalid\r\n";
    }
    if ($bytes =~ /get-master-addr-by-name/) {
        $answer .= !$self->{signed_in}{$client} || $says eq 'error' ? "-NOAUTH Authentication required.\r\n"
            : $says eq 'nil' ? "*-1\r\n"
            : "*2\r\n\$9\r\n127.0.0.1\r\n\$" . length($says) . "\r\n$says\r\n";
    }
    syswrite $client, $answer if $says ne 'silent';
    return;
}

sub DESTROY ($self) {
    return if !$self->{owner} || $self->{owner} != $$;
    local ($?, $!);
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
