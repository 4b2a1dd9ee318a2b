package Caportal::Owners;

# Which user each part runs as: a user of its own for what is reachable from outside, for the stores, for the key.

use v5.36;
use Caportal::Files qw(command);

my %users = (
    web       => 'caportal-web',
    signer    => 'caportal-signer',
    data      => 'caportal-data',
    inspector => 'caportal-inspector',
);

# Everything as the calling user: for tests, and for a home that other users cannot reach.
sub alone ($class) {
    return bless {}, $class;
}

sub separate ($class) {
    for my $user (values %users) {
        next if defined getpwnam $user;
        command('useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent',
            '--shell', '/usr/sbin/nologin', $user);
    }
    return bless {separate => 1}, $class;
}

# Separate users where they can reach the folders; otherwise all alone, and why.
sub for_folders ($class, @folders) {
    for my $folder (@folders) {
        my $path = '';
        for my $part (split m{/}, $folder) {
            $path .= "$part/";
            next if !-d $path || (stat _)[2] & 01;
            return ($class->alone, "everything runs as root, for $path is closed to other users");
        }
    }
    return ($class->separate, undef);
}

# [uid, gid] of a part; undef when it has no user of its own.
sub of ($self, $part) {
    return undef if !$self->{separate};
    return [(getpwnam $users{$part})[2, 3]];
}

# [0, gid]: root's files that the part may read.
sub group_of ($self, $part) {
    my $user = $self->of($part) // return undef;
    return [0, $user->[1]];
}

# The inspector is never root.
sub name ($self, $part) {
    return 'nobody' if $part eq 'inspector' && !$self->{separate};
    return $self->{separate} ? $users{$part} : scalar getpwuid $>;
}

1;
