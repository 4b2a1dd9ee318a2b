package Caportal::Test::Shared;

# What the test files of one run share: a MariaDB, the certificate authorities, reserved ports. All below one folder.

use v5.36;
use Caportal::Authority;
use Caportal::Files qw(folder);
use Caportal::Owners;
use Caportal::Process;
use Caportal::Service::MariaDB;
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use IO::Socket::IP;

use constant { FIRST_PORT => 20000, PORTS => 12000 };

sub new ($class, $folder) {
    my $self = bless {folder => $folder}, $class;
    $self->{mariadb}   = Caportal::Service::MariaDB->new(
        home => $folder, owners => Caportal::Owners->alone, fast => 1);
    $self->{authority} = Caportal::Authority->new("$folder/ca");
    return $self;
}

sub start ($self) {
    my $home = $self->{folder};
    folder("$home/$_") for qw(conf data run run/data log ports);
    $self->{mariadb}->write;
    $self->{mariadb}->start;
    $self->{authority}->make;
    $self->{mariadb}->wait_ready;
    return $self;
}

sub folder_name ($self) { return $self->{folder} }
sub mariadb ($self)     { return $self->{mariadb} }
sub authority ($self)   { return $self->{authority} }

# The first of three free ports in a row, which no other test of this run gets.
sub port ($self) {
    for (1 .. 1000) {
        my $port = FIRST_PORT + 3 * int rand PORTS / 3;
        sysopen my $file, "$self->{folder}/ports/$port", O_WRONLY | O_CREAT | O_EXCL or next;
        my @open = grep {defined}
            map { IO::Socket::IP->new(LocalHost => '0.0.0.0', LocalPort => $port + $_, Listen => 1) } 0 .. 2;
        return $port if @open == 3;
    }
    die "no free ports\n";
}

# Stops every daemon that was started below the folder, whoever started it, and removes the folder.
sub clean ($self) {
    my @files = (glob("$self->{folder}/*/run/*.process"), glob("$self->{folder}/run/*.process"));
    my @processes = map {
        my ($run, $name) = m{(.*)/(.*)\.process\z};
        Caportal::Process->new(name => $name, run => $run, log => dirname($run) . '/log')
    } @files;

    $_->signal('KILL') for @processes;
    $_->stop           for @processes;
    remove_tree($self->{folder}) if !$ENV{CAPORTAL_TEST_KEEP};
    return;
}

1;
