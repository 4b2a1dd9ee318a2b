package Caportal::Service::Redis;

# A private Redis on a unix socket. Web and signer have a user each: the signer sees the issuance stream only.

use v5.36;
use Caportal::Files qw(folder write_file);
use Caportal::Process;
use IO::Socket::UNIX;
use Socket qw(SOL_SOCKET SO_RCVTIMEO);

# Also: name (redis); port, where replicas and sentinels are to reach it; of, the port of the master that it copies.
sub new ($class, %given) {
    my $self = bless {name => 'redis', port => 0, %given}, $class;
    my $home = $self->{home};

    $self->{socket}  = "$home/run/data/$self->{name}.sock";
    $self->{process} = Caportal::Process->new(
        name => $self->{name}, run => "$home/run", log => "$home/log", user => $self->{owners}->of('data'));
    return $self;
}

sub socket ($self)  { return $self->{socket} }
sub port ($self)    { return $self->{port} }
sub process ($self) { return $self->{process} }
sub _file ($self)   { return "$self->{home}/conf/$self->{name}.conf" }

# Who may become a replica can sign in to whoever is the master.
sub _replication ($self) {
    return '' if !$self->{port};
    return "bind 127.0.0.1\nmasteruser caportal_admin\nmasterauth $self->{admin}\nrepl-diskless-sync-delay 0\n"
        . ($self->{of} ? "replicaof 127.0.0.1 $self->{of}\n" : '');
}

sub write ($self, $password_of) {
    my ($home, $owner) = ($self->{home}, $self->{owners}->of('data'));
    my %secret = map { $_ => $password_of->($_) } qw(web signer admin);
    $self->{admin} = $secret{admin};

    folder("$home/data/$self->{name}", 0700, $owner);
    # Nobody can sign in as "default"; but as it Redis replays the transactions of its own append-only file.
    write_file($self->_file, <<~"END" . $self->_replication, 0600, $owner);
        port           $self->{port}
        unixsocket     $self->{socket}
        unixsocketperm 777
        dir            $home/data/$self->{name}
        appendonly     yes
        appendfsync    everysec
        save           ""
        maxmemory-policy noeviction
        hash-max-listpack-value 256
        user default         off resetpass ~* &* +\@all
        user caportal_admin  on >$secret{admin} ~* &* +\@all
        user $self->{database}_web    on >$secret{web} ~caportal:* &* +\@all -\@dangerous -\@admin +info +client +role
        user $self->{database}_signer on >$secret{signer} ~caportal:issuance* -\@all +\@stream +\@connection +role
        END
    return;
}

sub start ($self) {
    $self->{process}->start(['redis-server', $self->_file]);
    return;
}

sub wait_ready ($self) {
    $self->{process}->wait_until(30, sub { eval { $self->command('PING') eq '+PONG' } });
    return;
}

# A connection on which a command was given as the administrator, and the first line of the answer.
sub _ask ($self, @words) {
    my $client = IO::Socket::UNIX->new(Peer => $self->{socket}) or die "$self->{socket}: $!\n";
    setsockopt $client, SOL_SOCKET, SO_RCVTIMEO, pack 'l!l!', 30, 0;
    my $line;
    for my $command (['AUTH', 'caportal_admin', $self->{admin}], \@words) {
        print {$client} '*' . @$command . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @$command;
        $client->flush;
        $line = <$client> // die "$self->{socket}: closed\n";
        $line =~ s/\r\n\z//;
    }
    return ($client, $line);
}

# One command as the administrator; the first line of the answer.
sub command ($self, @words) { return ($self->_ask(@words))[1] }

# The same for one that answers a number or a string; nothing for nil.
sub value ($self, @words) {
    my ($client, $line) = $self->_ask(@words);
    my ($type, $rest) = $line =~ /\A(.)(.*)/s;
    die "$words[0]: $rest\n" if $type !~ /[:\$+]/;
    return $rest if $type ne '$';
    return undef if $rest < 0;
    read $client, my ($text), $rest;
    return $text;
}

1;
